//! Devices of one invitation: how many a node takes, and that of too many none counts at once, on every
//! node alike, whichever of them it met first. And of one that was confirmed without the right to write,
//! what was adopted counts everywhere.

use crdt_schema::area::AreaId;
use crdt_schema::authority::{
    Adoption, Certificate, Confirmation, Invitation, Limits, Payload, Rights,
};
use crdt_schema::class::Class;
use crdt_schema::entry::{ChainPoint, Draft, DraftSection, Entry, EntryKind, Run};
use crdt_schema::id::{EntryId, FeedName, RecordId, Space};
use crdt_schema::time::Timestamp;
use node::authority::{AT_ONCE_MAX, INVITED_MAX};
use node::ports::RecordKey;
use node::replica::{Author, Offered, RejectReason, Save, Source};
use node::sync::driver::Pair;
use node::sync::{Phase, empty_root};
use tests::replicas::{self, Memory, meet};
use tests::world::{World, Writer};

use super::caps::{Nowhere, offer};

/// A village with two devices, and an invitation to it.
struct Ground {
    world: World,
    area: AreaId,
    /// What the province says of the invitation: it, then confirmations.
    said: Vec<Entry>,
    runs: Vec<Run>,
}

fn draft(kind: EntryKind, record_kind: u16, body: &[u8]) -> Draft {
    let record = if record_kind == 0 { [0; 16] } else { [7; 16] };
    Draft {
        kind,
        record_kind,
        record: RecordId(record),
        person: 0,
        claimed_at: Timestamp(0),
        deps: vec![],
        sections: vec![DraftSection::in_clear(Class::Open, body, [0; 16])],
    }
}

fn run_of(writer: &Writer, name: &FeedName, past: &[Entry], draft: Draft) -> Run {
    let start = past.last().map_or(ChainPoint::START, Entry::point);
    let entry = draft.place(name.id(), start).unwrap();
    Run::author(start, vec![entry], &Nowhere, writer.secret()).unwrap()
}

impl Ground {
    fn new(counts_at_once: bool) -> Self {
        let world = World::new(1, 2);
        let area = world.villages.first().unwrap().0;
        let mut ground = Self { world, area, said: vec![], runs: vec![] };
        ground.says(&Payload::Invitation(Invitation {
            key: throw_away().public(),
            area,
            rights: Rights::desa(),
            expires_at: Timestamp(0),
            counts_at_once,
        }));
        ground
    }

    fn feed(&self, writer: &Writer, space: Space) -> FeedName {
        FeedName { device: writer.device(), area: self.area, space, incarnation: 1 }
    }

    fn said_in(&self) -> FeedName {
        FeedName { incarnation: 3, ..self.feed(&self.world.province, Space::Authority) }
    }

    fn says(&mut self, payload: &Payload) {
        let draft = draft(payload.kind(), 0, &payload.to_bytes());
        let run = run_of(&self.world.province, &self.said_in(), &self.said, draft);
        self.said.extend(run.entries().iter().cloned());
        self.runs.push(run);
    }

    fn invitation(&self) -> EntryId {
        self.said.first().unwrap().id
    }

    fn certificate(&self, of: &Writer) -> Certificate {
        let (keys, rights, limits) = (of.keys, Rights::desa(), Limits::default());
        Certificate { keys, area: self.area, rights, limits, invited: None }
    }

    fn confirms(&mut self, whom: &Writer) {
        let (invitation, certificate) = (self.invitation(), self.certificate(whom));
        self.says(&Payload::Confirmation(Confirmation { invitation, certificate }));
    }

    /// Of a device that joins: its own certificate, signed with the invitation's key.
    fn introduction(&self, of: &Writer) -> (FeedName, Run) {
        let mut own = self.certificate(of);
        let message = own.invited_message(self.invitation());
        own.invited = Some((self.invitation(), throw_away().sign(&message)));
        let payload = Payload::Certificate(own);
        let name = self.feed(of, Space::Authority);
        (name, run_of(of, &name, &[], draft(payload.kind(), 0, &payload.to_bytes())))
    }

    /// An open record of it.
    fn record(&self, of: &Writer) -> (FeedName, Run) {
        let name = self.feed(of, Space::Records);
        (name, run_of(of, &name, &[], draft(EntryKind::EDIT, 5, &[0])))
    }

    /// Offers both of a device; what became of the certificate.
    fn join(&self, replica: &mut Memory, who: &Writer) -> Offered {
        let (name, run) = self.introduction(who);
        let outcome = offer(replica, &name, run.packed());
        let (name, run) = self.record(who);
        offer(replica, &name, run.packed());
        outcome
    }

    fn replica(&self, me: &Writer, number: u8) -> Memory {
        let mut replica = replicas::replica(&self.world, me, number);
        for (name, runs) in &self.world.authority {
            for run in runs {
                offer(&mut replica, name, run);
            }
        }
        self.tell(&mut replica);
        replica
    }

    fn tell(&self, replica: &mut Memory) {
        for run in &self.runs {
            let outcome = offer(replica, &self.said_in(), run.packed());
            assert!(matches!(outcome, Offered::Staged(1) | Offered::Duplicate), "{outcome:?}");
        }
    }

    /// The two devices of the village, which confirm nobody.
    fn neighbours(&self) -> [Memory; 2] {
        let writers = &self.world.villages.first().unwrap().1;
        [(0, 1), (1, 2)].map(|(at, number)| self.replica(writers.get(at).unwrap(), number))
    }
}

fn throw_away() -> crdt_schema::entry::SigningSecret {
    crdt_schema::entry::SigningSecret::from_seed(&[77; 32])
}

/// So many devices with the paper, ascending by id.
fn strangers(count: u64) -> Vec<Writer> {
    let mut all: Vec<Writer> = (0..count).map(|number| Writer::numbered(900 + number)).collect();
    all.sort_by_key(Writer::device);
    all
}

fn equal_once_they_met(one: &mut Memory, two: &mut Memory) {
    let mut phases = None;
    // What is learned in one session may end the next one's business.
    for _ in 0..2 {
        let mut pair = Pair::new(one.me(), two.me());
        meet(&mut pair, one, two);
        phases = Some(pair.phases());
    }
    let equal = Phase::Live { equal: true };
    assert_eq!(phases, Some((equal, equal)));
}

#[test]
fn of_many_that_joined_at_once_none_counts_on_any_node_until_a_person_names_it() {
    let mut ground = Ground::new(true);
    let all = strangers(14);
    let [mut one, mut two] = ground.neighbours();
    let area = ground.area;
    let mut odd = all.iter().skip(1).step_by(2);
    // Few count at once.
    for who in all.iter().step_by(2).take(AT_ONCE_MAX) {
        assert_eq!(ground.join(&mut one, who), Offered::Staged(1));
    }
    assert_ne!(one.summary().root(area), empty_root());
    // Of more none does, and so many are taken that everybody learns it.
    for who in odd.by_ref().take(AT_ONCE_MAX + 1) {
        assert_eq!(ground.join(&mut two, who), Offered::Staged(1));
    }
    for who in odd {
        let refused = Offered::Rejected(RejectReason::Limit);
        assert_eq!(ground.join(&mut two, who), refused);
    }
    assert_eq!(two.summary().root(area), empty_root());

    equal_once_they_met(&mut one, &mut two);
    for replica in [&one, &two] {
        assert_eq!(replica.summary().root(area), empty_root());
    }
    let [mine, theirs] = [&one, &two].map(|it| it.summary().authority_root(area));
    assert_eq!(mine, theirs);

    // One that neither took is named.
    let last = all.last().unwrap();
    ground.confirms(last);
    for replica in [&mut one, &mut two] {
        ground.tell(replica);
    }
    assert_eq!(ground.join(&mut one, last), Offered::Staged(1));
    equal_once_they_met(&mut one, &mut two);
    let [mine, theirs] = [&one, &two].map(|it| it.summary().root(area));
    assert_eq!(mine, theirs);
    assert_ne!(mine, empty_root());
    assert_eq!(one.summary().counts(Space::Records, area).feeds, 1);
}

#[test]
fn who_may_confirm_takes_so_many_of_an_invitation_and_whom_it_confirmed_beyond_them() {
    let mut ground = Ground::new(false);
    let all = strangers(INVITED_MAX as u64 + 1);
    let mut province = ground.replica(&ground.world.province, 1);
    // In one batch: those count that are not committed yet.
    let mut outcomes = Vec::new();
    for who in &all {
        let (name, run) = ground.introduction(who);
        outcomes.push(province.offer(&name, run.packed()).unwrap().outcome);
    }
    province.commit(None, &Source::Here, Timestamp(0)).unwrap();
    let last = outcomes.pop();
    assert_eq!(last, Some(Offered::Rejected(RejectReason::Limit)));
    assert_eq!(outcomes, vec![Offered::Staged(1); INVITED_MAX]);
    assert_eq!(province.waiting_devices().len(), INVITED_MAX);
    let last = all.last().unwrap();
    assert_eq!(ground.join(&mut province, last), Offered::Rejected(RejectReason::Limit));

    ground.confirms(last);
    ground.tell(&mut province);
    assert_eq!(ground.join(&mut province, last), Offered::Staged(1));
    assert_ne!(province.summary().root(ground.area), empty_root());
}

/// Of a device that waits as much is taken as is stated, and all of it once it is confirmed.
#[test]
fn a_device_that_waits_leaves_a_mebibyte_and_the_rest_once_it_is_confirmed() {
    const STATED: usize = 1 << 20;
    let mut ground = Ground::new(false);
    let mut province = ground.replica(&ground.world.province, 9);
    let who = Writer::numbered(901);
    let (introduced, certificate) = ground.introduction(&who);
    assert_eq!(offer(&mut province, &introduced, certificate.packed()), Offered::Staged(1));
    let name = ground.feed(&who, Space::Records);
    let (mut past, mut runs): (Vec<Entry>, Vec<Run>) = (Vec::new(), Vec::new());
    for number in 0..100_u64 {
        // Nothing that can be squeezed.
        let mut body = [0; 16_000];
        blake3::Hasher::new().update(&number.to_be_bytes()).finalize_xof().fill(&mut body);
        let run = run_of(&who, &name, &past, draft(EntryKind::EDIT, 5, &body));
        past.extend(run.entries().iter().cloned());
        runs.push(run);
    }
    let mut taken = 0;
    for run in &runs {
        let outcome = offer(&mut province, &name, run.packed());
        let waits = [Offered::Pending, Offered::Rejected(RejectReason::Limit)];
        assert!(outcome == Offered::Staged(1) || waits.contains(&outcome), "{outcome:?}");
        taken += if outcome == Offered::Staged(1) { run.packed().bytes.len() } else { 0 };
    }
    assert!((STATED - 20_000..=STATED).contains(&taken), "{taken}");
    // A start counts what is there.
    let (feeds, views) = (province.feed_store().clone(), province.views().unwrap().clone());
    let mut province = replicas::replica_over(feeds, views, &ground.world, &ground.world.province);
    let held = province.feed(name.id()).unwrap().branches.first().unwrap().head.point.seq;
    let next = runs.get(usize::try_from(held).unwrap()).unwrap();
    let refused = Offered::Rejected(RejectReason::Limit);
    assert_eq!(offer(&mut province, &name, next.packed()), refused);

    ground.confirms(&who);
    ground.tell(&mut province);
    for run in runs.iter().skip(usize::try_from(held).unwrap()) {
        assert_eq!(offer(&mut province, &name, run.packed()), Offered::Staged(1));
    }
}

/// One holds what a device wrote while it counted at once, and somebody went on with it; the other meets
/// neither before the device is confirmed as one that only reads. Of the two entries the first is
/// adopted, and the second is what the neighbour's change rests on.
#[test]
fn what_was_adopted_of_a_device_without_the_right_to_write_counts_with_whoever_lacked_it() {
    let mut ground = Ground::new(true);
    let [mut one, mut two] = ground.neighbours();
    let who = Writer::numbered(900);
    let (name, first) = ground.record(&who);
    let mut next = draft(EntryKind::EDIT, 5, &[0]);
    next.deps = first.entries().iter().map(|entry| entry.id).collect();
    let second = run_of(&who, &name, first.entries(), next);
    ground.join(&mut one, &who);
    assert_eq!(offer(&mut one, &name, second.packed()), Offered::Staged(1));
    let (introduced, certificate) = ground.introduction(&who);
    assert_eq!(offer(&mut two, &introduced, certificate.packed()), Offered::Staged(1));
    let key = RecordKey { area: ground.area, kind: 5, record: RecordId([7; 16]) };
    let neighbour = ground.world.villages.first().unwrap().1.first().unwrap();
    let author = Author { device: neighbour.device(), key: neighbour.secret() };
    let sections = vec![DraftSection::in_clear(Class::Open, &[0], [0; 16])];
    one.save(&author, Save { key, person: 0, claimed_at: Timestamp(9), sections }).unwrap();
    one.commit(Some(&author), &Source::Here, Timestamp(9)).unwrap();

    let (invitation, mut certificate) = (ground.invitation(), ground.certificate(&who));
    certificate.rights = Rights::CARRY.with(Rights::READ_OPEN);
    ground.says(&Payload::Confirmation(Confirmation { invitation, certificate }));
    for replica in [&mut one, &mut two] {
        ground.tell(replica);
    }
    let refused = Offered::Rejected(RejectReason::NoRight);
    assert_eq!(offer(&mut two, &name, first.packed()), refused);
    let ranges = vec![(name.id(), 1, first.head().point)];
    ground.says(&Payload::Adoption(Adoption { ranges }));
    for replica in [&mut one, &mut two] {
        ground.tell(replica);
    }
    equal_once_they_met(&mut one, &mut two);
    let [mine, theirs] = [&one, &two].map(|it| it.summary().root(ground.area));
    assert_eq!(mine, theirs);
    let heads = &two.summary().feed(&name.id()).unwrap().heads;
    assert_eq!(*heads, [second.head().point], "as far as what counts rests");
    let [mine, theirs] = [&one, &two].map(|it| it.record(&key).unwrap().unwrap());
    assert_eq!(format!("{mine:?}"), format!("{theirs:?}"));
    assert_eq!(two.totals().unwrap().waiting_deps, 0);
}
