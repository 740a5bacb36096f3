//! Runs from outside: whose they are, whether they may be taken here, and the door they pass.

use std::collections::BTreeSet;

use crdt_schema::area::AreaId;
use crdt_schema::authority::{Payload, Rights};
use crdt_schema::class::Class;
use crdt_schema::entry::{
    Block, CHECKPOINT_EVERY, ChainPoint, Entry, EntryKind, NoBackRefs, PackedRun, RefuseReason,
    SigningPublic,
};
use crdt_schema::id::{DeviceId, FeedId, FeedName, Space};

use super::Replica;
use super::declared::{
    AUTHORITY_WEIGHT_MAX, NAMED_TIMES, OWN_AUTHORITY_WEIGHT_MAX, authority_entry,
};
use super::verdict::Reach;
use crate::authority::{Admits, Grant, MemberState, Standing};
use crate::ingest::Verdict;
use crate::ports::{FeedStore, PlacedRun, StoreError, ViewStore};

/// Incarnations of one device in one area a node takes, beside those that authority names; a further
/// one is not taken, and said.
pub(super) const INCARNATIONS_MAX: usize = 64;
/// The same with those that counting edits rest on: as many again.
pub(super) const INCARNATIONS_RESTED_MAX: usize = 128;
/// Entries a provisional device's feeds may hold here, beside [`PROVISIONAL_BYTES_MAX`]: far beyond what one
/// device writes while it waits.
pub(super) const PROVISIONAL_ENTRIES_MAX: u64 = 100_000;

/// Entries of an authority feed that are taken of a device no certificate lets issue there: it introduces
/// itself, and may close itself. One run, so that whoever takes the beginning of a feed takes as much.
pub(super) const AUTHORITY_ENTRIES_MAX: u64 = CHECKPOINT_EVERY;
/// Bytes of runs that a device which waits may leave here: with sixteen of one invitation 16 MiB.
pub(super) const PROVISIONAL_BYTES_MAX: usize = 1 << 20;

/// An offered run, judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// Entries in it; 0 when it cannot be read.
    pub entries: u64,
    /// What became of it.
    pub outcome: Offered,
}

/// What became of an offered run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// So many new entries are staged.
    Staged(u64),
    /// All of it is held.
    Duplicate,
    /// Entries before it are missing.
    Pending,
    /// Not taken.
    Rejected(RejectReason),
}

/// Whether a feed's runs belong to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It may hold them.
    Here,
    /// It asked for their area, and waits for its confirmation.
    OnceConfirmed,
    /// They are for others.
    Elsewhere,
}

/// Why a run is not taken. Each is for a person to act on; none is our failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RejectReason {
    /// No certificate names the device; its authority may still come.
    UnknownDevice,
    /// The device has no right to write there.
    NoRight,
    /// The area is none this node may hold.
    OutsideInterest,
    /// The area is one this node asked for, and nobody confirmed it yet as far as it knows.
    NotYetServed,
    /// The device waits for confirmation, and this node may not confirm it.
    Unconfirmed,
    /// Branches, incarnations, provisional entries or devices of one invitation beyond what a node
    /// takes.
    Limit,
    /// What is held of the feed rotted where the run goes on from it.
    Rotten,
    /// The disk is too full for it, by `room.rs`; whoever brought it still has it.
    NoRoom,
    /// The bytes, the chain or the signature.
    Refused(RefuseReason),
}

impl RejectReason {
    /// Whether authority that is staged may lift it once it speaks.
    pub(crate) const fn rests_on_authority(self) -> bool {
        matches!(
            self,
            Self::UnknownDevice
                | Self::NoRight
                | Self::OutsideInterest
                | Self::NotYetServed
                | Self::Limit
        )
    }

    /// A stable word for counts in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownDevice => "unknown_device",
            Self::NoRight => "no_right",
            Self::OutsideInterest => "outside_interest",
            Self::NotYetServed => "not_yet_served",
            Self::Unconfirmed => "unconfirmed",
            Self::Limit => "limit",
            Self::NoRoom => "no_room",
            Self::Rotten => "rotten_here",
            Self::Refused(RefuseReason::Signature) => "signature",
            Self::Refused(RefuseReason::CrossesCheckpoint) => "crosses_checkpoint",
            Self::Refused(RefuseReason::BackReference | RefuseReason::NotNext) => "broken_chain",
            Self::Refused(_) => "unreadable",
        }
    }
}

impl<F: FeedStore, V: ViewStore> Replica<F, V> {
    /// Judges a run and stages what is new of it; [`Replica::commit`] makes it durable.
    ///
    /// # Errors
    /// [`StoreError`] when the disk could not be read: then nothing is staged any more.
    pub fn offer(&mut self, name: &FeedName, packed: &PackedRun) -> Result<Offer, StoreError> {
        let block = match packed.block() {
            Ok(block) => block,
            Err(error) => {
                let reason = RejectReason::Refused(RefuseReason::Bytes(error));
                return Ok(Offer { entries: 0, outcome: Offered::Rejected(reason) });
            }
        };
        let entries = block.entries.len() as u64;
        // The run may be in what is held by then, and it must not be taken for one that is durable.
        let outcome = self.judge_run(name, packed, block).inspect_err(|_| self.abandon())?;
        Ok(Offer { entries, outcome })
    }

    fn judge_run(
        &mut self,
        name: &FeedName,
        packed: &PackedRun,
        block: Block,
    ) -> Result<Offered, StoreError> {
        let id = name.id();
        let key = match self.trusted.get(&id) {
            Some(key) => *key,
            None => match self.admit(name, packed) {
                Ok(key) => key,
                Err(reason) => return Ok(Offered::Rejected(reason)),
            },
        };
        let known = self.held.feed(id).is_some();
        if !known && !self.takes_another(name, packed)? {
            return Ok(Offered::Rejected(RejectReason::Limit));
        }
        if self.standings.get(&id) == Some(&Standing::Counts) {
            self.trusted.insert(id, key);
        }
        let is_authority = name.space == Space::Authority;
        if is_authority && block.last() > AUTHORITY_ENTRIES_MAX && !self.issues_in(name) {
            return Ok(Offered::Rejected(RejectReason::Limit));
        }
        // Before it is verified, where its length tells; of a fork it shows only afterwards.
        let is_longer = self.brings_more(id, &block);
        if is_longer && let Some(reason) = self.lacks_room_for(name, id, packed)? {
            return Ok(Offered::Rejected(reason));
        }
        let verdict = match self.judge(name, packed, block, &key) {
            // Nothing of this run is staged yet, and the others do not rest on it.
            Err(StoreError::Damaged { .. }) => return Ok(Offered::Rejected(RejectReason::Rotten)),
            verdict => verdict?,
        };
        Ok(match verdict {
            Verdict::Accepted(placed) => {
                if !is_longer && let Some(reason) = self.lacks_room_for(name, id, packed)? {
                    return Ok(Offered::Rejected(reason));
                }
                if self.would_weigh_too_much(name, placed.run.entries()) {
                    return Ok(Offered::Rejected(RejectReason::Limit));
                }
                self.held.stage(name, &placed);
                if !known {
                    self.stage.new_feeds.push(*name);
                }
                let entries = placed.run.entries().len() as u64;
                if let Some(left) = self.left.get_mut(&name.device) {
                    *left += placed.run.packed().bytes.len();
                }
                self.stage_run(name, *placed, true)?;
                Offered::Staged(entries)
            }
            Verdict::Duplicate => Offered::Duplicate,
            Verdict::Pending | Verdict::Refused(RefuseReason::NotNext) => Offered::Pending,
            Verdict::TooManyBranches => Offered::Rejected(RejectReason::Limit),
            Verdict::Refused(reason) => Offered::Rejected(RejectReason::Refused(reason)),
        })
    }

    /// Whether one more feed of a device is taken in an area: authority names it or others of those held
    /// (ADR 0024), or its first run holds what counting edits rest on (ADR 0029).
    fn takes_another(&self, name: &FeedName, packed: &PackedRun) -> Result<bool, StoreError> {
        let held = self.held.incarnations(name);
        if held.len() < INCARNATIONS_MAX || !self.authority.named(name).is_empty() {
            return Ok(true);
        }
        let feeds = held.iter().filter_map(|id| self.held.feed(*id));
        let unnamed = feeds.filter(|feed| self.authority.named(&feed.name).is_empty()).count();
        let is_beyond = unnamed >= INCARNATIONS_MAX;
        if !is_beyond || unnamed >= INCARNATIONS_RESTED_MAX || packed.first != 1 {
            return Ok(!is_beyond);
        }
        let opened = packed.clone().open(name.id(), ChainPoint::START, &NoBackRefs);
        opened.map_or(Ok(false), |run| self.lacks_one_of(name, run.entries()))
    }

    /// Why a run that brings something new may not take room here.
    fn lacks_room_for(
        &mut self,
        name: &FeedName,
        id: FeedId,
        packed: &PackedRun,
    ) -> Result<Option<RejectReason>, StoreError> {
        let waits = match self.standings.get(&id) {
            Some(standing) => *standing == Standing::Provisional,
            None => self.authority.standing(name) == Standing::Provisional,
        };
        if waits
            && name.device != self.me
            && self.left_by(name.device)? + packed.bytes.len() > PROVISIONAL_BYTES_MAX
        {
            return Ok(Some(RejectReason::Limit));
        }
        Ok((!self.has_room_for(name)).then_some(RejectReason::NoRoom))
    }

    /// Whether a feed is this device's, or of somebody whom a certificate lets issue there, closed since or
    /// not. What a device that waits asked for gives it nothing.
    pub(super) fn issues_in(&self, name: &FeedName) -> bool {
        let Some(member) = self.authority.member(&name.device) else { return false };
        let tree = self.authority.tree();
        let issues = |grant: &Grant| {
            grant.rights.has(Rights::ISSUE) && tree.ever_covered(grant.area, name.area)
        };
        let is_certified = member.state != MemberState::Provisional;
        name.device == self.me || is_certified && member.grants.iter().any(issues)
    }

    /// Whether a device would leave more authority in an area than is taken of it: of a feed of which somebody
    /// above names an entry that lies not before these the way there is taken beyond that (ADR 0039).
    fn would_weigh_too_much(&self, name: &FeedName, more: &[Entry]) -> bool {
        if name.space != Space::Authority || name.device == self.me {
            return false;
        }
        let [held, staged] = [&self.declared, &self.stage.declared]
            .map(|declared| declared.weight(name.device, name.area));
        let more_weight: u64 = more.iter().map(|entry| u64::from(entry.header.weight())).sum();
        let most =
            if self.issues_in(name) { AUTHORITY_WEIGHT_MAX } else { OWN_AUTHORITY_WEIGHT_MAX };
        let all = held + staged + more_weight;
        if all <= most {
            return false;
        }
        let first = more.first().map_or(0, |entry| entry.header.seq);
        let is_named = self.authority.named_from_above(name).iter().any(|point| point.seq >= first);
        !is_named || all > NAMED_TIMES * most
    }

    /// Whether a run goes beyond what is held of its feed.
    fn brings_more(&self, feed: FeedId, block: &Block) -> bool {
        let branches = self.held.feed(feed).map_or(&[][..], |feed| &feed.branches);
        branches.iter().all(|branch| branch.head.point.seq < block.last())
    }

    /// Whether a feed's runs belong here, by this device's certificates as far as they are known.
    pub fn place_of(&self, name: &FeedName) -> Place {
        let me = &self.me;
        // A device that is joining is known to nobody yet, itself included: it takes the authority
        // its invitation brings, which proves itself.
        let joins = name.space == Space::Authority && self.authority.member(me).is_none();
        let learns = name.space == Space::Authority && self.authority.may_learn(me, name.area);
        let holds = learns || self.authority.may_serve(me, name.space, name.area);
        if name.device == *me || joins || holds {
            Place::Here
        } else if self.authority.asked_for(me, name.area) {
            Place::OnceConfirmed
        } else {
            Place::Elsewhere
        }
    }

    /// Whether the feed's runs are taken here, and the key they must be signed with.
    fn admit(&self, name: &FeedName, packed: &PackedRun) -> Result<SigningPublic, RejectReason> {
        let is_mine = name.device == self.me;
        match self.place_of(name) {
            Place::Here => {}
            Place::OnceConfirmed => return Err(RejectReason::NotYetServed),
            Place::Elsewhere => return Err(RejectReason::OutsideInterest),
        }
        let standing = self.authority.standing(name);
        // Also one that is known elsewhere alone may join here.
        if matches!(standing, Standing::Unknown | Standing::Outside)
            && let Some(taken) = self.introduced(name, packed)
        {
            return taken;
        }
        let key = self.authority.signing_key(&name.device).ok_or(RejectReason::UnknownDevice)?;
        match standing {
            Standing::Unknown => Err(RejectReason::UnknownDevice),
            Standing::Outside => Err(RejectReason::NoRight),
            Standing::Provisional if !is_mine && !self.may_confirm(name.area) => {
                Err(RejectReason::Unconfirmed)
            }
            Standing::Provisional
                if self.provisional_entries(name.device) >= PROVISIONAL_ENTRIES_MAX =>
            {
                Err(RejectReason::Limit)
            }
            Standing::Counts
            | Standing::CountsUntil(_)
            | Standing::OpenCounts(_)
            | Standing::Provisional => Ok(key),
        }
    }

    /// A device nobody certified here introduces itself by a certificate it wrote with a throw-away key:
    /// to whoever may confirm it, and to everybody when its invitation counts at once.
    fn introduced(
        &self,
        name: &FeedName,
        packed: &PackedRun,
    ) -> Option<Result<SigningPublic, RejectReason>> {
        if name.space != Space::Authority || packed.first != 1 {
            return None;
        }
        let opened = packed.clone().open(name.id(), ChainPoint::START, &NoBackRefs).ok()?;
        let key = own_certificate_key(&opened, name)?;
        let run = opened.verify(&key).ok()?;
        let entry = authority_entry(name, run.entries().first()?);
        let may_confirm = self.may_confirm(name.area);
        match self.authority.would_join(&entry, &self.stage.introduced)? {
            Admits::All => Some(Ok(key)),
            Admits::WhoConfirms => may_confirm.then_some(Ok(key)),
            Admits::OfMany => Some(may_confirm.then_some(key).ok_or(RejectReason::Limit)),
            Admits::Nobody => may_confirm.then_some(Err(RejectReason::Limit)),
        }
    }

    fn may_confirm(&self, area: AreaId) -> bool {
        self.authority.may(&self.me, Rights::ISSUE, area)
    }

    fn provisional_entries(&self, device: DeviceId) -> u64 {
        let of_device = self.held.feeds().filter(|(_, feed)| feed.name.device == device);
        of_device.flat_map(|(_, feed)| &feed.branches).map(|branch| branch.head.point.seq).sum()
    }

    /// Bytes of all runs of a device that are held. Counted once, then added up.
    fn left_by(&mut self, device: DeviceId) -> Result<usize, StoreError> {
        if let Some(left) = self.left.get(&device) {
            return Ok(*left);
        }
        let mut left = 0;
        let feeds = self.held.feeds().filter(|(_, feed)| feed.name.device == device);
        for (id, feed) in feeds {
            for branch in &feed.branches {
                let mut at = branch.from.map_or(1, |(_, shared)| shared + 1);
                while at <= branch.head.point.seq {
                    match self.feeds.packed_run(*id, branch.branch, at) {
                        Ok(run) => left += run.map_or(0, |run| run.bytes.len()),
                        Err(StoreError::Damaged { .. }) => {}
                        Err(error) => return Err(error),
                    }
                    at = at.next_multiple_of(CHECKPOINT_EVERY) + 1;
                }
            }
        }
        self.left.insert(device, left);
        Ok(left)
    }

    /// Puts a verified run, already staged in what is held, into the batch.
    pub(super) fn stage_run(
        &mut self,
        name: &FeedName,
        placed: PlacedRun,
        from_outside: bool,
    ) -> Result<(), StoreError> {
        let id = name.id();
        self.stage.touched.insert(id);
        // Of a feed that is left already nobody forks here: two copies would drive each other on (ADR 0038).
        if from_outside && name.device == self.me && name.incarnation == self.incarnation {
            self.stage.own_came_back = true;
        }
        match name.space {
            Space::Authority => {
                let entries = placed.run.entries();
                self.stage.entries += entries.len() as u64;
                self.stage.declare(name, entries);
            }
            Space::Records => {
                let feed = self.held.feed(id).ok_or(StoreError::Misuse("a run of no feed"))?;
                // Of what cannot be judged nothing counts; the commit judges it again, and says so.
                let reach = match self.reach(feed) {
                    Err(StoreError::Damaged { .. }) => Reach::nothing(),
                    reach => reach?,
                };
                let edits = |entry: &&Entry| entry.header.kind == EntryKind::EDIT;
                for entry in placed.run.entries().iter().filter(edits) {
                    let verdict = reach.verdict(placed.branch, &entry.header);
                    self.stage_edit(name, placed.branch, entry, verdict);
                }
            }
        }
        self.stage.push(placed);
        Ok(())
    }

    /// The last entry of the newest staged run of a feed.
    pub(super) fn newest_staged(&self, feed: FeedId) -> Option<ChainPoint> {
        let runs = self.stage.runs.iter().rev();
        let of_feed = runs.map(|placed| placed.run.head()).find(|head| head.feed == feed);
        of_feed.map(|head| head.point)
    }

    /// Devices that wait for confirmation and that this device may confirm.
    pub fn waiting_devices(&self) -> BTreeSet<DeviceId> {
        let waits = |device: &DeviceId| {
            let mut asked = self.authority.waits_in(device).into_keys();
            asked.any(|area| self.waits_in(device, area) && self.may_confirm(area))
        };
        let devices = self.authority.members().map(|(device, _)| *device);
        devices.filter(waits).collect()
    }

    fn waits_in(&self, device: &DeviceId, area: AreaId) -> bool {
        self.authority.state_in(device, area) == Some(MemberState::Provisional)
    }
}

/// The signing key in the first certificate of a run that names the feed's own device.
fn own_certificate_key(
    opened: &crdt_schema::entry::UnverifiedRun,
    name: &FeedName,
) -> Option<SigningPublic> {
    opened.entries().iter().find_map(|entry| {
        let body = entry.open_body(Class::Open)?;
        let payload = Payload::from_bytes(entry.header.kind, body).ok()??;
        let Payload::Certificate(it) = payload else { return None };
        let is_own = it.invited.is_some() && it.keys.device() == name.device;
        is_own.then_some(it.keys.signing)
    })
}
