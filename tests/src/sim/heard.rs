//! What a node tells is true, the moment it tells it: "equal" is said of a root that both had, and a
//! comparison in which nothing was new is cheap.

use node::live::{Event, Seen};
use node::sync::Root;

use super::town::Town;

/// Sites up to which every root is noted.
const WATCHED_MAX: usize = 24;
/// Bytes both ways of a comparison after a heal that found nothing new, handshake included.
const NOTHING_NEW_BYTES_MAX: u64 = 3 * 1024;
/// And of one head in a hub's row: rows go with whatever frame comes next, each way.
const HEAD_BYTES: u64 = 2 * 26;

impl Town {
    /// Holds what a node tells against what it and its peer had.
    pub(super) fn hear(&mut self, site: usize, event: Event) {
        if let Event::Session(seen) = event {
            self.note(if seen.equal { "comparison equal" } else { "comparison not equal" });
            self.had(site);
            if seen.equal && !self.sites[site].hostile {
                self.check_equal(site, &seen);
                self.check_bytes(site, &seen);
            }
        }
    }

    /// Notes the roots a node has now: what it may have proved. They change with what arrived.
    pub(super) fn had(&mut self, site: usize) {
        if self.sites.len() > WATCHED_MAX {
            return;
        }
        let Self { sites, cast, roots, .. } = self;
        let Some(up) = &mut sites[site].up else { return };
        let replica = up.node.replica();
        if up.noted_at.replace(replica.arrived()) == Some(replica.arrived()) {
            return;
        }
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

    fn check_bytes(&mut self, site: usize, seen: &Seen) {
        let bytes = seen.received.bytes + seen.sent.bytes;
        let news = seen.received.entries + seen.sent.entries;
        if self.proving && news == 0 {
            self.note("comparison without news");
            self.dearest = self.dearest.max(bytes);
            let up = self.sites[site].up.as_ref();
            let feeds = up.map_or(0, |up| up.node.replica().feeds().count() as u64);
            if bytes > NOTHING_NEW_BYTES_MAX + HEAD_BYTES * feeds {
                self.breaks(site, &format!("{bytes} bytes to learn that nothing is new"));
            }
        }
    }
}
