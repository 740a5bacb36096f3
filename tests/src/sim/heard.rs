//! What a node tells is true, the moment it tells it: "equal" is said of a root that both had, and a
//! comparison in which nothing was new is cheap.

use node::live::{Event, LinkId, Seen};
use node::sync::message::Message;
use node::sync::{Root, Stream, codec};

use super::ground::hash;
use super::town::Town;
use super::wire::Kinds;

/// Sites up to which every root is noted.
const WATCHED_MAX: usize = 24;
/// Frames that are no comparison: rows of hubs and of devices, which go with whatever comes next.
const ROWS: [u8; 2] = [17, 18];
/// Bytes both ways of a comparison after a heal that found nothing new, handshake and one area
/// included: 170 where nothing else went, and what a liar had said before all was mended.
const NOTHING_NEW_BYTES_MAX: u64 = 512;
/// Of each area more: its proof there and back, and its quiet root.
const AREA_BYTES: u64 = 100;
/// Bytes of one row, and of each head in a hub's: one of each branch of each feed its writer held.
const ROW_BYTES_MAX: usize = 512;
const HEAD_BYTES: usize = 26;

impl Town {
    /// Holds what a node tells against what it and its peer had.
    pub(super) fn hear(&mut self, site: usize, event: Event) {
        if let Event::Session(seen) = event {
            let kinds = self.wires.get_mut(seen.link).map(|wire| {
                let (_, end) = wire.from(site);
                std::mem::take(&mut wire.moved[end])
            });
            self.note(if seen.equal { "comparison equal" } else { "comparison not equal" });
            self.had(site);
            if seen.equal && !self.sites[site].hostile {
                self.check_equal(site, &seen);
                self.check_bytes(site, &seen, &kinds.unwrap_or_default());
            }
        }
    }

    /// A device that left an incarnation, because its own entries came back to it from others, writes
    /// under it no more: it cannot know what else it wrote there.
    pub(super) fn check_incarnation(&mut self, site: usize) {
        let at = &mut self.sites[site];
        let Some(up) = &at.up else { return };
        let newest = up.node.replica().incarnation();
        let before = std::mem::replace(&mut at.incarnation, newest);
        if before != newest {
            at.retired.insert(before);
        }
        if at.retired.contains(&newest) {
            self.breaks(site, "writes under an incarnation it had left");
        }
    }

    /// Notes the roots a node has now: what it may have proved. They change with what arrived.
    pub(super) fn had(&mut self, site: usize) {
        if self.sites.len() > WATCHED_MAX {
            return;
        }
        let Self { sites, cast, roots, most_heads, .. } = self;
        let Some(up) = &mut sites[site].up else { return };
        let replica = up.node.replica();
        if up.noted_at.replace(replica.arrived()) == Some(replica.arrived()) {
            return;
        }
        *most_heads =
            replica.feeds().map(|feed| feed.branches.len()).sum::<usize>().max(*most_heads);
        for area in cast.roles.iter().map(|role| role.area) {
            roots.insert((site, area, replica.summary().root(area)));
        }
    }

    fn check_equal(&mut self, site: usize, seen: &Seen) {
        if self.sites.len() > WATCHED_MAX {
            return;
        }
        let there: Vec<usize> = (0..self.sites.len())
            .filter(|other| self.sites[*other].role.device() == seen.peer)
            .collect();
        if there.iter().any(|other| self.sites[*other].hostile) {
            return;
        }
        for area in &seen.areas {
            let had =
                |site: usize| self.roots.contains(&(site, area.area.id(), Root(area.root_here.0)));
            if !had(site) || !there.iter().any(|other| had(*other)) {
                let what = format!("said equal of a root of {} not both had", area.area.id());
                self.breaks(site, &what);
                return;
            }
        }
    }

    fn check_bytes(&mut self, site: usize, seen: &Seen, kinds: &Kinds) {
        let bytes = seen.received.bytes + seen.sent.bytes;
        let news = seen.received.entries + seen.sent.entries;
        if !self.proving || news > 0 || kinds.is_empty() {
            return;
        }
        self.note("comparison without news");
        if kinds.values().sum::<u64>() != bytes {
            self.breaks(site, &format!("{bytes} bytes said, {kinds:?} moved"));
        }
        let of_rows: u64 = ROWS.iter().filter_map(|kind| kinds.get(kind)).sum();
        if bytes - of_rows > self.dearest.0 {
            self.dearest = (bytes - of_rows, format!("{kinds:?} {} areas", seen.areas.len()));
        }
        let most = NOTHING_NEW_BYTES_MAX + AREA_BYTES * seen.areas.len() as u64;
        if bytes - of_rows > most {
            let what = format!("{bytes} bytes to learn that nothing is new, by kind {kinds:?}");
            self.breaks(site, &what);
        }
        if of_rows > self.dearest_rows.0 {
            self.dearest_rows = (of_rows, format!("{kinds:?} {} areas", seen.areas.len()));
        }
    }

    /// What goes beside comparisons is rows, and each goes over a link one way once: their bytes
    /// follow what is new about hubs and devices, whatever is compared.
    pub(super) fn rows_go_once(&mut self, site: usize, link: LinkId, frame: &[u8]) {
        if self.sites.len() > WATCHED_MAX || !frame.first().is_some_and(|it| ROWS.contains(it)) {
            return;
        }
        let rows: Vec<Message> = match codec::decode(Stream::Control, frame) {
            Ok(Message::Receipts(rows)) => {
                rows.into_iter().map(|row| Message::Receipts(vec![row])).collect()
            }
            Ok(row @ Message::Device(_)) => vec![row],
            Ok(_) | Err(_) => return,
        };
        for said in rows {
            let row = codec::encode(&said);
            let Some(wire) = self.wires.get_mut(link) else { return };
            let (_, way) = wire.from(site);
            let is_first = wire.told[way].insert(hash(&[&row]));
            self.note("row told");
            if row.len() > ROW_BYTES_MAX + HEAD_BYTES * self.most_heads {
                self.breaks(site, &format!("a row of {} bytes", row.len()));
            }
            if !is_first {
                self.breaks(site, &format!("a row went twice over one link: {said:?}"));
            }
        }
    }
}
