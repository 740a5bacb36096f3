//! Every question that has a route. What stands here is served, described and nothing else.

use node::ask::{
    AddPeer, AddRecord, Ask, CloseMember, ConfirmMember, DescribeKinds, DescribeWords,
    ExportBundle, ExportRecord, ImportBundles, ImportSheet, InspectBundle, InviteDevice, ListAreas,
    ListConflicts, ListMembers, ListPeers, ListRecords, MakeSynthetic, RehomeArea, RemovePeer,
    SetRecord, SettleConflict, ShowArea, ShowHistory, ShowRecord, ShowRoot, ShowStatus, VerifyAll,
};

use crate::commands::{bundle, verify};
use crate::error::Failure;

/// Says why an answer is not whole, if it is not.
pub(super) type But<A> = fn(&<A as Ask>::Answer) -> Option<Failure>;

/// Goes through the table.
pub(super) trait Visit {
    fn ask<A: Ask>(&mut self, but: But<A>);

    /// A question whose answers are always whole.
    fn whole<A: Ask>(&mut self) {
        self.ask::<A>(|_| None);
    }
}

/// Shows every question to `visit`, in the order of `docs/cli.md`.
pub(super) fn each(visit: &mut impl Visit) {
    visit.whole::<InviteDevice>();
    visit.whole::<ListMembers>();
    visit.whole::<ConfirmMember>();
    visit.whole::<CloseMember>();
    visit.whole::<ShowArea>();
    visit.whole::<ListAreas>();
    visit.whole::<RehomeArea>();
    visit.whole::<ListPeers>();
    visit.whole::<AddPeer>();
    visit.whole::<RemovePeer>();
    visit.whole::<ShowStatus>();
    visit.whole::<ShowRoot>();
    visit.ask::<VerifyAll>(verify::damage);
    visit.whole::<DescribeKinds>();
    visit.whole::<DescribeWords>();
    visit.whole::<AddRecord>();
    visit.whole::<SetRecord>();
    visit.whole::<ShowRecord>();
    visit.whole::<ListRecords>();
    visit.whole::<ShowHistory>();
    visit.whole::<ExportRecord>();
    visit.whole::<ListConflicts>();
    visit.whole::<SettleConflict>();
    visit.ask::<ExportBundle>(bundle::rotten);
    visit.ask::<ImportBundles>(bundle::partial);
    visit.whole::<InspectBundle>();
    visit.whole::<ImportSheet>();
    visit.whole::<MakeSynthetic>();
}
