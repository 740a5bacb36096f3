//! Members that lie: a real node whose frames are altered, held back or made up on their way out.
//!
//! It has a certificate and its keys, so what it signs is signed; what it may not write, it writes
//! all the same.

use crdt_schema::area::{AreaId, AreaTree, Level};
use crdt_schema::authority::Payload;
use crdt_schema::class::Class as Section;
use crdt_schema::entry::{Draft, DraftSection, EntryKind, PackedRun};
use crdt_schema::id::{DeviceId, FeedName, RecordId, Space};
use crdt_schema::time::Timestamp;
use node::live::LinkId;
use node::ports::FeedStore;
use node::sync::codec;
use node::sync::message::{FeedRef, FeedRun, Message};
use node::sync::{DeviceRow, EndReason, ReceiptRow, Root, RowHead, RowKey, Stream};

use super::cast::{Role, certificate};
use super::ground::hash;
use super::row::{DEVICE, RECEIPT, device_row, read_row};
use super::town::Town;
use crate::world::{declaring, signed};

/// Of a hundred frames of a liar so many are not what its node wanted to say.
const LIES_PERCENT: usize = 12;
/// Of a hundred turns among those so many say more, or less, to be durable than is.
const LIES_OF_DURABLE_PERCENT: usize = 10;
/// Feeds of a flood: more than a node takes, whatever rests on them.
const FLOOD: usize = 140;

impl Town {
    /// Some devices of villages lie from the first day, and of hubs of kecamatan, which may issue
    /// certificates, half as many in a hundred.
    pub(super) fn choose_liars(&mut self) {
        let percent = self.config.hostile_percent;
        for site in 0..self.sites.len() {
            let (of_a_hundred, what) = match self.sites[site].role.level() {
                Level::Desa => (percent, "hostile member"),
                Level::Kecamatan => (percent / 2, "hostile hub"),
                Level::Kabupaten | Level::Provinsi => continue,
            };
            if self.numbers.chance(of_a_hundred) {
                self.sites[site].hostile = true;
                self.note(what);
            }
        }
        let is_middle = |site: &usize| self.sites[*site].role.level() == Level::Kecamatan;
        let mut hubs: Vec<usize> = (0..self.sites.len()).filter(is_middle).collect();
        for _ in 0..self.config.hostile_hubs.min(hubs.len()) {
            let site = hubs.swap_remove(self.numbers.below(hubs.len()));
            self.sites[site].hostile = true;
            self.note("hostile hub");
        }
    }

    /// Whether liars of this town go on while all else is mended, and while what holds is looked at.
    pub(super) fn lies_go_on(&self) -> bool {
        hash(&[b"lies", &self.config.seed.to_be_bytes()])[0].is_multiple_of(2)
    }

    /// A frame of a liar; `None` when it keeps it.
    pub(super) fn distort(
        &mut self,
        (site, link): (usize, LinkId),
        stream: Stream,
        frame: Vec<u8>,
    ) -> Option<Vec<u8>> {
        if (self.healing && !self.lies_go_on()) || !self.numbers.chance(LIES_PERCENT) {
            return Some(frame);
        }
        let meant = frame.clone();
        let said = self.distorted((site, link), stream, frame);
        if self.healing && said.as_ref() != Some(&meant) {
            self.note("hostile: lied while all was mended");
        }
        said
    }

    fn distorted(
        &mut self,
        (site, link): (usize, LinkId),
        stream: Stream,
        frame: Vec<u8>,
    ) -> Option<Vec<u8>> {
        let Ok(message) = codec::decode(stream, &frame) else { return Some(frame) };
        match message {
            Message::Turn(mut turn) => {
                if self.numbers.chance(LIES_OF_DURABLE_PERCENT) {
                    let frames = 1 + self.numbers.below(3) as u64;
                    let less = turn.durable.saturating_sub(frames);
                    let lie = if self.numbers.chance(50) { turn.durable + frames } else { less };
                    if lie != turn.durable {
                        self.note("hostile: lying durable");
                    }
                    turn.durable = lie;
                }
                if let Some(roots) = turn.quiet.as_mut().filter(|roots| !roots.is_empty()) {
                    self.note("hostile: lying roots");
                    for (authority, records) in roots.iter_mut() {
                        let lie = if self.numbers.chance(50) { authority } else { records };
                        *lie = Root([self.numbers.next().to_be_bytes()[0]; 32]);
                    }
                }
                Some(codec::encode(&Message::Turn(turn)))
            }
            Message::Receipts(mut rows) => {
                // Heads that nobody holds are dropped by whoever counts; those that are held are not.
                let raises = self.numbers.chance(50);
                for row in &mut rows {
                    if raises && self.raise(site, row) {
                        self.note("hostile: row of an honest hub raised");
                        continue;
                    }
                    if !row.heads.is_empty() {
                        self.note("hostile: lying receipt");
                    }
                    for head in &mut row.heads {
                        head.seq += 1_000;
                    }
                    // Of its own store it may say what it likes.
                    if self.is_store_of(site, row.key.instance) {
                        *row = row.clone().signed(&self.sites[site].role.secret());
                    }
                }
                Some(codec::encode(&Message::Receipts(rows)))
            }
            Message::Device(row) => Some(codec::encode(&Message::Device(self.made_up(site, row)))),
            Message::Runs(mut runs) => {
                if self.numbers.chance(50) {
                    self.note("hostile: withheld tail");
                    runs.pop();
                } else {
                    self.note("hostile: altered run");
                    self.alter(&mut runs);
                }
                let message = Message::Runs(runs);
                (codec::encode(&message).len() > 2).then(|| codec::encode(&message))
            }
            Message::Push(push) => {
                self.note("hostile: altered push");
                let mut runs = vec![push];
                self.alter(&mut runs);
                runs.pop().map(|push| codec::encode(&Message::Push(push)))
            }
            Message::Durable(frames) => {
                let more = self.numbers.below(3) as u64;
                if more > 0 {
                    self.note("hostile: lying durable");
                }
                Some(codec::encode(&Message::Durable(frames + more)))
            }
            _ => self.garble(link, stream, frame),
        }
    }

    fn garble(&mut self, link: LinkId, stream: Stream, mut frame: Vec<u8>) -> Option<Vec<u8>> {
        match self.numbers.below(4) {
            0 => {
                let at = self.numbers.below(frame.len());
                frame[at] ^= 1 << self.numbers.below(8);
                self.note(match codec::decode(stream, &frame) {
                    Ok(_) => "hostile: another message",
                    Err(_) => "hostile: bytes that are no message",
                });
                Some(frame)
            }
            1 => {
                self.note("hostile: withheld frame");
                None
            }
            2 => {
                self.note("hostile: frame sent twice");
                self.twice = Some((link, frame.clone()));
                Some(frame)
            }
            _ => Some(frame),
        }
    }

    fn alter(&mut self, runs: &mut [FeedRun]) {
        let Some(run) = runs.last_mut() else { return };
        match self.numbers.below(3) {
            0 => run.run.signature[self.numbers.below(64)] ^= 1,
            1 if !run.run.bytes.is_empty() => {
                let at = self.numbers.below(run.run.bytes.len());
                run.run.bytes[at] ^= 1 << self.numbers.below(8);
            }
            _ => run.run.first += 64,
        }
    }

    /// A liar makes something up and sends it to whoever listens.
    pub(super) fn attack(&mut self, site: usize) {
        let links: Vec<LinkId> =
            self.wires.of(site).filter(|(_, wire)| !wire.closing).map(|(link, _)| link).collect();
        let Some(link) = links.get(self.numbers.below(links.len())).copied() else { return };
        let own = self.sites[site].role.area;
        let device = self.sites[site].role.device();
        let mut villages = self.cast.villages();
        // Of thousands of villages chance alone seldom meets one below a hub.
        if self.config.hostile_hubs > 0 && !self.is_village(site) && self.numbers.chance(50) {
            villages.retain(|village| Self::covers(own, *village));
        }
        let other = villages[self.numbers.below(villages.len())];
        match self.numbers.below(6) {
            0 => {
                if !Self::covers(own, other) {
                    self.note("hostile: forged area");
                }
                self.push(site, link, device, other, 7, 1);
            }
            1 => {
                let victim = self.numbers.below(self.sites.len());
                let victim = self.sites[victim].role.device();
                if victim != device {
                    self.note("hostile: feed of somebody else");
                }
                self.push(site, link, victim, own, 9, 1);
            }
            2 => {
                let branches = 1 + self.numbers.next().to_be_bytes()[0] % 10;
                if branches > 1 {
                    self.note("hostile: fork");
                }
                for branch in 0..branches {
                    self.push(site, link, device, own, 11, branch);
                }
            }
            3 => {
                self.note("hostile: flood of feeds");
                for incarnation in 0..FLOOD {
                    self.push(site, link, device, own, 1_000 + incarnation as u64, 1);
                }
            }
            4 => match self.numbers.below(3) {
                0 => {
                    self.note("hostile: lying receipt");
                    self.boast(site, link, own);
                }
                1 => self.pass_on_raised(site, link),
                _ => self.pass_on_made_up(site, link),
            },
            _ => {
                let victim = self.numbers.below(self.sites.len());
                let named = &self.sites[victim].role;
                let named = (self.numbers.chance(50) && !Self::covers(named.area, other))
                    .then(|| named.clone());
                // A hub may certify whomever it likes below it.
                let counts = Self::covers(own, other) && !self.is_village(site);
                self.note(match (counts, &named) {
                    (true, None) => "hostile: certificate for nobody",
                    (true, Some(_)) => "hostile: certificate for somebody elsewhere",
                    (false, _) => "hostile: forged authority",
                });
                let behind = named.is_none() && self.numbers.chance(50);
                let behind = behind.then_some(self.sites[victim].role.keys.transport);
                if counts && behind.is_some() && victim != site {
                    self.note("hostile: certificate that names somebody's transport key");
                }
                let nobody = || Role::new(self.config.seed, self.numbers.next(), other, None);
                let mut role = named.unwrap_or_else(nobody);
                if let Some(key) = behind {
                    role = role.behind(key);
                }
                // It may cover what moved below it meanwhile, too.
                if !self.is_village(site) {
                    self.named_elsewhere.entry(role.device()).or_default().insert((own, other));
                }
                self.forge_certificate(site, link, other, role);
            }
        }
    }

    /// Whether what belongs to an area may write in another one, a move set aside; a village certifies
    /// nobody, but may write in itself.
    fn covers(own: AreaId, other: AreaId) -> bool {
        own == other || AreaTree::west_java().covers(own, other)
    }

    /// A liar says that its store holds what nobody ever wrote.
    fn boast(&mut self, site: usize, link: LinkId, area: AreaId) {
        let Some(up) = &self.sites[site].up else { return };
        let key = RowKey { instance: up.node.replica().feed_store().instance(), area };
        let [counter, feed, entry] = [(); 3].map(|()| self.numbers.next());
        let head = RowHead { feed: feed.to_be_bytes(), seq: 1_000, entry: entry.to_be_bytes() };
        let root = Root([counter.to_be_bytes()[0]; 32]).cut();
        let (counter, heads, signature) = (counter >> 32, vec![head], [0; 64]);
        let row = ReceiptRow { key, counter, root, heads, signature };
        let row = row.signed(&self.sites[site].role.secret());
        let message = Message::Receipts(vec![row]);
        self.send_raw(site, link, Stream::Control, codec::encode(&message));
    }

    /// A liar passes on a row that it holds of an honest hub, raised.
    fn pass_on_raised(&mut self, site: usize, link: LinkId) {
        let Some(up) = &self.sites[site].up else { return };
        let rows = up.node.replica().feed_store().values(RECEIPT).unwrap_or_default();
        let row = rows.get(self.numbers.below(rows.len())).map(|(_, value)| read_row(value));
        let Some(Ok(mut row)) = row else { return };
        if self.raise(site, &mut row) {
            self.note("hostile: row of an honest hub raised");
            let frame = codec::encode(&Message::Receipts(vec![row]));
            self.send_raw(site, link, Stream::Control, frame);
        }
    }

    /// And one that it holds of a device, as if that had another store now and had said so for ever.
    fn pass_on_made_up(&mut self, site: usize, link: LinkId) {
        let Some(up) = &self.sites[site].up else { return };
        let rows = up.node.replica().feed_store().values(DEVICE).unwrap_or_default();
        let row = rows.get(self.numbers.below(rows.len())).and_then(|(_, value)| device_row(value));
        let Some(row) = row else { return };
        let row = self.made_up(site, row);
        self.send_raw(site, link, Stream::Control, codec::encode(&Message::Device(row)));
    }

    /// What a device is said to have said of itself: whatever would silence it. Of itself a liar may say
    /// so, and signs it.
    fn made_up(&mut self, site: usize, mut row: DeviceRow) -> DeviceRow {
        let had = row.instance;
        row.instance.0[0] ^= 0x80;
        let role = &self.sites[site].role;
        if row.device == role.device() {
            self.denied.extend([had, row.instance]);
            row.counter += 1;
            return row.signed(&role.secret());
        }
        row.counter = u64::MAX;
        row.addresses.clear();
        self.note("hostile: row of a device made up");
        row
    }

    /// One run of a feed with this name, signed by the liar.
    fn push(
        &mut self,
        site: usize,
        link: LinkId,
        device: DeviceId,
        area: AreaId,
        incarnation: u64,
        variant: u8,
    ) {
        let name = FeedName { device, area, space: Space::Records, incarnation };
        let body = self.numbers.next().to_be_bytes().to_vec();
        let section = DraftSection::in_clear(Section::Open, &body, [0; 16]);
        let draft = draft(EntryKind::EDIT, 5, variant, section);
        self.push_run(site, link, name, draft);
    }

    /// A certificate for keys that nobody has, that somebody has who belongs elsewhere, or of which one is
    /// somebody else's.
    fn forge_certificate(&mut self, site: usize, link: LinkId, area: AreaId, mut role: Role) {
        role.area = area;
        let payload = Payload::Certificate(certificate(&role));
        let device = self.sites[site].role.device();
        let name = FeedName { device, area, space: Space::Authority, incarnation: 3 };
        self.push_run(site, link, name, declaring(&payload));
    }

    fn push_run(&mut self, site: usize, link: LinkId, name: FeedName, draft: Draft) {
        let secret = self.sites[site].role.secret();
        let (name, runs) = signed(name, &secret, vec![draft]);
        let Some(run): Option<PackedRun> = runs.into_iter().next() else { return };
        let message = Message::Push(FeedRun { feed: FeedRef::Name(name), run });
        self.send_raw(site, link, Stream::Control, codec::encode(&message));
    }

    /// A frame longer than any may be ends the link before anything is reserved for it.
    pub(super) fn too_long(
        &mut self,
        site: usize,
        link: LinkId,
        stream: Stream,
        bytes: usize,
    ) -> bool {
        if bytes <= stream.frame_bytes_max() {
            return false;
        }
        if self.sites[site].hostile {
            self.note("hostile: frame too long");
            let now = self.now();
            self.agenda
                .plan(now, super::wire::Due::Gone { link, to: site, reason: EndReason::Malformed });
        } else {
            self.breaks(site, &format!("a frame of {bytes} bytes"));
        }
        true
    }
}

fn draft(kind: EntryKind, record_kind: u16, record: u8, section: DraftSection) -> Draft {
    Draft {
        kind,
        record_kind,
        record: RecordId([record; 16]),
        person: 0,
        claimed_at: Timestamp(0),
        deps: Vec::new(),
        sections: vec![section],
    }
}
