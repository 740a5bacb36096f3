//! Words that end feeds and take some of it back: closings, a device's own too, cuts, revocations and
//! adoptions.

use crdt_schema::area::AreaId;
use crdt_schema::authority::{Adoption, Closing, Cut, FeedEnd, Payload, Revocation};
use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{DeviceId, EntryId, Space};
use node::authority::{MemberState, Standing};
use node::ports::{FeedHeads, FeedStore};

use super::cast::{Cast, JOINER, KABUPATEN, KECAMATAN, VILLAGERS};
use super::mesh::{Mesh, Site, everything};

impl Mesh {
    /// A device below the issuer, rarely twice the same.
    fn victim(&mut self, site: usize) -> Option<usize> {
        let level = self.sites[site].device;
        let below = [KECAMATAN, VILLAGERS[0], VILLAGERS[1], JOINER];
        let below: Vec<usize> = below.into_iter().filter(|device| *device > level).collect();
        let victim = self.pick(&below)?;
        let authority = self.sites[site].replica.authority();
        authority.member(&Cast::get().devices[victim].id)?;
        Some(victim)
    }

    /// For each feed of a device an entry in the middle, mostly.
    pub(super) fn ends(
        &mut self,
        site: usize,
        device: DeviceId,
        area: Option<AreaId>,
    ) -> Vec<FeedEnd> {
        let feeds: Vec<FeedHeads> = self.sites[site].replica.feeds().cloned().collect();
        let of_device = feeds.iter().filter(|feed| feed.name.device == device);
        let mut ends = Vec::new();
        for feed in of_device.filter(|feed| area.is_none_or(|area| feed.name.area == area)) {
            if self.numbers.chance(85) {
                ends.extend(self.end(site, feed));
            }
        }
        ends
    }

    fn end(&mut self, site: usize, feed: &FeedHeads) -> Option<FeedEnd> {
        let branch = feed.branches.get(self.numbers.below(feed.branches.len()))?;
        let newest = usize::try_from(branch.head.point.seq).ok()?;
        let seq = if self.numbers.chance(30) { newest } else { 1 + self.numbers.below(newest) };
        if feed.branches.len() > 1 {
            self.note("end named in a forked feed");
        }
        let store = &self.sites[site].replica.feed_store().held;
        let last = store.point(feed.name.id(), branch.branch, seq as u64).ok()??;
        Some(FeedEnd { feed: feed.name.id(), last })
    }

    pub(super) fn close(&mut self, site: usize) -> Result<(), String> {
        let Some(victim) = self.victim(site) else { return Ok(()) };
        self.close_device(site, victim)
    }

    pub(super) fn close_device(&mut self, site: usize, victim: usize) -> Result<(), String> {
        let device = &Cast::get().devices[victim];
        let ends = self.ends(site, device.id, None);
        self.note("closing");
        let closing = Payload::Closing(Closing { device: device.id, ends });
        self.declare(site, device.area, closing)?;
        if self.numbers.chance(50) { self.adopt(&[site]) } else { Ok(()) }
    }

    pub(super) fn revoke(&mut self, site: usize) -> Result<(), String> {
        let Some(victim) = self.victim(site) else { return Ok(()) };
        let device = &Cast::get().devices[victim];
        let reason = String::new();
        let revocation = Payload::Revocation(Revocation { device: device.id, reason });
        let first = self.numbers.chance(50);
        if first {
            self.declare(site, device.area, revocation.clone())?;
        }
        let cast = Cast::get();
        for area in [cast.village, cast.neighbour, cast.above[0]] {
            if self.numbers.chance(70)
                && area.level() > cast.devices[self.sites[site].device].area.level()
            {
                let ends = self.ends(site, device.id, Some(area));
                self.declare(site, area, Payload::Cut(Cut { device: device.id, ends }))?;
                self.note("cut");
            }
        }
        if !first {
            self.declare(site, device.area, revocation)?;
        }
        self.note("revocation");
        if self.numbers.chance(50) { self.adopt(&[site]) } else { Ok(()) }
    }

    /// Some of what does not count is made to count again, a range that may not be held yet in full
    /// elsewhere.
    pub(super) fn adopt(&mut self, issuers: &[usize]) -> Result<(), String> {
        let mut ended = Vec::new();
        for site in issuers {
            let replica = &self.sites[*site].replica;
            let of_site = replica.feeds().filter(|feed| {
                let standing = replica.authority().standing(&feed.name);
                feed.name.space == Space::Records && matches!(standing, Standing::CountsUntil(_))
            });
            ended.extend(of_site.map(|feed| (*site, feed.clone())));
        }
        let chosen = ended.get(self.numbers.below(ended.len()));
        let Some((site, feed)) = chosen.map(|(site, feed)| (*site, feed)) else { return Ok(()) };
        let Some(end) = self.end(site, feed) else { return Ok(()) };
        let first = 1 + self.numbers.below(usize::try_from(end.last.seq).unwrap_or(1)) as u64;
        let ranges = vec![(end.feed, first, end.last)];
        self.note("adoption");
        self.declare(site, feed.name.area, Payload::Adoption(Adoption { ranges })).map(drop)
    }

    /// A device of the village closes itself. Now and then its program lies, or its card forgot what it
    /// wrote last: then it names ends that nobody holds.
    pub(super) fn close_itself(&mut self) -> Result<(), String> {
        let is_one = |mesh: &Self, site: &usize| {
            let device = mesh.sites[*site].device;
            let copies = mesh.sites.iter().filter(|it| it.device == device).count();
            let active = mesh.writes(*site) == Some(MemberState::Active);
            VILLAGERS.contains(&device) && active && copies == 1
        };
        let writers: Vec<usize> =
            self.alive().into_iter().filter(|site| is_one(self, site)).collect();
        let Some(site) = self.pick(&writers) else { return Ok(()) };
        let device = self.sites[site].device();
        if self.numbers.chance(60) {
            self.save_apart(site)?;
        }
        let mut ends = self.ends(site, device.id, None);
        for end in &mut ends {
            if self.numbers.chance(70) {
                let near = self.numbers.below(3) as u64;
                let mut id = [0; 32];
                id[..8].copy_from_slice(&self.numbers.next().to_be_bytes());
                end.last = ChainPoint { seq: end.last.seq + near, id: EntryId(id) };
                self.note("end named that nobody holds");
            }
        }
        self.note("device closed itself");
        let closing = Payload::Closing(Closing { device: device.id, ends });
        self.declare(site, device.area, closing).map(drop)
    }

    /// Saves that the rest of the village gets, and more that an office alone gets.
    fn save_apart(&mut self, site: usize) -> Result<(), String> {
        for for_office in [false, true] {
            for _ in 0..=self.numbers.below(2) {
                self.save_one(site, MemberState::Active)?;
            }
            self.commit(site, for_office)?;
            let gets = |at: &Site| {
                let wanted = if for_office { &[KABUPATEN][..] } else { &VILLAGERS[..] };
                wanted.contains(&at.device) && at.closed.is_none()
            };
            let all = everything(self.sites[site].replica.feed_store())?;
            for to in self.alive() {
                if to == site || !gets(&self.sites[to]) {
                    continue;
                }
                for message in &all {
                    if !self.holds(to, message)? {
                        self.offer(to, message)?;
                    }
                }
                self.commit(to, false)?;
            }
        }
        Ok(())
    }
}
