//! Ends that nobody holds: a device that closes itself may name what it never wrote, by mistake or because
//! it lies, and an office may name what was lost with a disk. What lies before the place named counts,
//! with whoever holds more of the feed and with whoever holds less.

use crdt_schema::area::AreaCode;
use crdt_schema::authority::{Closing, FeedEnd, Payload};
use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{EntryId, Space};
use node::answer::MemberState;
use node::node::{ExportTarget, ListAsk};
use tests::office::{Office, Town};
use tests::wires::Wires;

const KECAMATAN: &str = "32.09.39";
const DESA: &str = "32.09.39.2001";

/// All that one gives everybody goes to another.
fn brought(from: &mut Office, to: &mut Office) {
    let files = from.export(ExportTarget::All);
    to.import(&files);
}

/// A closing of a desa's device by which its feed of records ends at `seq`, with an entry nobody wrote.
fn closing(desa: &mut Office, seq: u64) -> Payload {
    let device = desa.node().device();
    let mut feeds = desa.node().replica().feeds().map(|feed| feed.name);
    let records = feeds.find(|name| name.device == device && name.space == Space::Records);
    let last = ChainPoint { seq, id: EntryId([7; 32]) };
    Payload::Closing(Closing { device, ends: vec![FeedEnd { feed: records.unwrap().id(), last }] })
}

/// The kecamatan holds more of the feed than a neighbour. Both count what lies before the end.
#[test]
fn an_end_that_nobody_holds_leaves_a_hub_and_a_village_equal() {
    for closes_itself in [true, false] {
        let mut town = Town::new(90);
        let mut province = town.province();
        let mut kecamatan = town.member(&mut province, "kecamatan", KECAMATAN);
        let mut desa = town.member(&mut kecamatan, "desa", DESA);
        let second = town.member(&mut kecamatan, "desa-kedua", DESA);
        let mut desks = [second, kecamatan];
        for title in ["satu", "dua"] {
            desa.activity(DESA, title);
        }
        for other in &mut desks {
            brought(&mut desa, other);
        }
        for title in ["tiga", "empat", "lima"] {
            desa.activity(DESA, title);
        }
        let [second, kecamatan] = &mut desks;
        let closing = closing(&mut desa, 4);
        let author = if closes_itself { &mut desa } else { &mut *kecamatan };
        let area = DESA.parse::<AreaCode>().unwrap().first_id();
        author.node().say(area, closing, Vec::new()).unwrap();
        brought(&mut desa, kecamatan);
        assert_eq!(shown(kecamatan), 3, "what lies before the fourth");
        assert_eq!(shown(second), 2);

        let mut wires = Wires::default();
        let [second, kecamatan] = desks.map(|office| wires.add(office));
        wires.dial(second, kecamatan);
        wires.wait(30_000);
        assert_eq!(wires.sessions(second).last(), Some(&true));
        let mut seen = wires.desks.iter_mut().map(|desk| {
            let office = &mut desk.office;
            (office.root(DESA), shown(office))
        });
        let (one, two) = (seen.next().unwrap(), seen.next().unwrap());
        assert_eq!(one, two);
        assert_eq!(one.1, 3);
    }
}

/// A device that says it ends where nobody can look is closed in name alone: whoever asks is warned. Nothing is
/// written, for of an honest one what has not come yet would be lost.
#[test]
fn who_closed_itself_at_an_end_that_is_not_held_is_told_of_as_one_that_may_go_on() {
    let mut town = Town::new(91);
    let mut province = town.province();
    let mut kecamatan = town.member(&mut province, "kecamatan", KECAMATAN);
    let mut desa = town.member(&mut kecamatan, "desa", DESA);
    desa.activity(DESA, "satu");
    let mut goes_on = town.clone_of(&mut desa, "salinan");
    let closing = closing(&mut desa, 1 << 40);
    let area = DESA.parse::<AreaCode>().unwrap().first_id();
    desa.node().say(area, closing, Vec::new()).unwrap();
    brought(&mut desa, &mut kecamatan);
    let device = desa.node().device().to_string();
    let entries = kecamatan.node().status().unwrap().entries;
    let closed = kecamatan.node().close_member(&device).unwrap();
    assert_eq!((closed.state, closed.warnings), (MemberState::Closed, vec!["end_not_held".into()]));
    assert_eq!(kecamatan.node().status().unwrap().entries, entries);
    goes_on.activity(DESA, "dua");
    brought(&mut goes_on, &mut kecamatan);
    assert_eq!(shown(&mut kecamatan), 2);
}

/// How many records count.
fn shown(office: &mut Office) -> u64 {
    office.node().record_list(&ListAsk { limit: 100, ..ListAsk::default() }).unwrap().total
}
