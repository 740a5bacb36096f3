//! `member list`, `confirm`, `close`: who belongs to the network, and who decides it.

use clap::Subcommand;
use node::answer::{MemberChange, MemberList, MemberState};
use node::ask::{CloseMember, ConfirmMember, ListMembers};

use super::show;
use crate::context::Context;
use crate::error::Failure;
use crate::report::{Page, Report};
use crate::words::Words;

/// Devices of the network
#[derive(Subcommand)]
pub(crate) enum Args {
    /// Every device this node knows
    #[command(visible_alias = "daftar")]
    List,
    /// Certify a device that joined by an invitation; a person compares its eight words first
    #[command(visible_alias = "sahkan")]
    Confirm(DeviceArgs),
    /// Close a device: what it wrote until now goes on counting, nothing after; by the level above,
    /// or by the device itself
    #[command(visible_alias = "tutup")]
    Close(CloseArgs),
}

/// `member confirm`.
#[derive(clap::Args)]
pub(crate) struct DeviceArgs {
    /// The device's full id (64 digits), or its eight words
    #[arg(value_name = "DEVICE", required = true, num_args = 1..=8)]
    device: Vec<String>,
}

/// `member close`.
#[derive(clap::Args)]
pub(crate) struct CloseArgs {
    /// The device's full id or its eight words; left out, this device closes itself
    #[arg(value_name = "DEVICE", num_args = 0..=8)]
    device: Vec<String>,
}

pub(crate) fn run(context: &mut Context<'_>, args: &Args) -> Result<Report, Failure> {
    match args {
        Args::List => {
            let members = context.put(ListMembers {})?;
            context.report(&members, list)
        }
        Args::Confirm(args) => {
            let ask = ConfirmMember { device: args.device.join(" ") };
            let made = context.put(ask)?;
            context.report(&made, changed)
        }
        Args::Close(args) => {
            let typed = args.device.join(" ");
            let ask = CloseMember { device: (!typed.is_empty()).then_some(typed) };
            let made = context.put(ask)?;
            context.report(&made, changed)
        }
    }
}

fn list(page: &mut Page, words: Words, list: &MemberList) {
    let heads =
        ["page-area", "page-device", "page-state", "page-rights", "page-since", "page-words"];
    let row = |member: &node::answer::Member| {
        vec![
            member.area.to_string(),
            show::short(&member.device),
            state(member.state, words),
            member.rights.join(","),
            show::moment(member.since),
            member.words.join(" "),
        ]
    };
    page.table(show::heads(words, heads), list.members.iter().map(row).collect());
}

fn changed(page: &mut Page, words: Words, change: &MemberChange) {
    let before = change.warnings.iter().any(|warning| warning == "already_confirmed");
    page.good(words.say(if before { "page-member-as-before" } else { "page-member-changed" }));
    page.pair(words.say("page-device"), change.device);
    page.pair(words.say("page-area"), change.area);
    page.pair(words.say("page-state"), state(change.state, words));
    page.pair(words.say("page-entry"), show::entry(&change.entry));
    for warning in &change.warnings {
        page.warning(match warning.as_str() {
            "invitation_expired" => words.say("page-invitation-expired"),
            "already_confirmed" => words.say("page-already-confirmed"),
            "end_not_held" => words.say("page-end-not-held"),
            other => other.to_owned(),
        });
    }
}

/// How a device stands, in words.
pub(super) fn state(state: MemberState, words: Words) -> String {
    words.say(match state {
        MemberState::Active => "page-state-active",
        MemberState::Provisional => "page-state-provisional",
        MemberState::Closed => "page-state-closed",
        MemberState::Revoked => "page-state-revoked",
    })
}
