//! Where every area lies today and where it ever lay: the base, and the alias entries that count.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::area::{AreaId, Level};
use crdt_schema::authority::{Alias, FeedEnd};
use crdt_schema::id::EntryId;

/// An alias entry that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountingAlias {
    /// The entry.
    pub entry: EntryId,
    /// The alias entries it replaces: its deps.
    pub replaces: Vec<EntryId>,
    /// The level of the device that wrote it.
    pub author: Level,
    /// What it says.
    pub alias: Alias,
}

/// All aliases that count, and what follows from them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placements {
    by_area: BTreeMap<AreaId, Vec<CountingAlias>>,
}

impl Placements {
    /// Adds an alias entry that counts.
    pub(super) fn add(&mut self, alias: CountingAlias) {
        self.by_area.entry(alias.alias.area).or_default().push(alias);
    }

    /// The alias that holds today: of those nobody replaced the one of the highest level, then of
    /// the largest id.
    pub fn today(&self, area: AreaId) -> Option<&CountingAlias> {
        let rank = |a: &&CountingAlias| (std::cmp::Reverse(a.author), a.entry);
        self.standing(area).max_by_key(rank)
    }

    /// Areas for which more than one alias stands: the level above is told.
    pub fn disputed(&self) -> impl Iterator<Item = AreaId> + '_ {
        self.by_area.keys().copied().filter(|area| self.standing(*area).count() > 1)
    }

    /// The aliases that hold today, by area.
    pub fn all_today(&self) -> impl Iterator<Item = &CountingAlias> {
        self.by_area.keys().filter_map(|area| self.today(*area))
    }

    /// One level up today; `None` for a province.
    pub fn parent(&self, area: AreaId) -> Option<AreaId> {
        self.today(area).map_or_else(|| base_parent(area), |alias| Some(alias.alias.parent))
    }

    /// Whether `area` is `above` or lies below it today.
    pub fn covers(&self, above: AreaId, area: AreaId) -> bool {
        let mut at = Some(area);
        // A path longer than the levels there are would be a circle.
        for _ in 0..=DEPTH_MAX {
            match at {
                Some(here) if here == above => return true,
                Some(here) => at = self.parent(here),
                None => return false,
            }
        }
        false
    }

    /// Whether `area` is `above`, or any placement that counts ever put it below.
    pub fn ever_covers(&self, above: AreaId, area: AreaId) -> bool {
        self.ever_above(area).contains(&above)
    }

    /// `area` and everything it ever lay in.
    pub fn ever_above(&self, area: AreaId) -> BTreeSet<AreaId> {
        let mut reached = BTreeSet::new();
        let mut next = vec![area];
        while let Some(here) = next.pop() {
            if reached.insert(here) {
                next.extend(base_parent(here));
                next.extend(self.by_area.get(&here).into_iter().flatten().map(|a| a.alias.parent));
            }
        }
        reached
    }

    /// Areas whose placement some alias changed.
    pub fn moved(&self) -> impl Iterator<Item = AreaId> + '_ {
        self.by_area.keys().copied()
    }

    /// Where feeds in `area` end that rest on a former parent: what the aliases in force name.
    pub(super) fn closes(&self, area: AreaId) -> Vec<FeedEnd> {
        let mut ends = Vec::new();
        for here in self.ever_above(area) {
            ends.extend(self.today(here).into_iter().flat_map(|alias| alias.alias.closes.clone()));
        }
        ends
    }

    fn standing(&self, area: AreaId) -> impl Iterator<Item = &CountingAlias> {
        let all = self.by_area.get(&area).map_or(&[][..], Vec::as_slice);
        all.iter().filter(|one| !all.iter().any(|other| other.replaces.contains(&one.entry)))
    }
}

/// Levels a path upward may have.
const DEPTH_MAX: usize = 6;

/// The parent by first codes: the id says it.
pub(super) fn base_parent(area: AreaId) -> Option<AreaId> {
    let digits = area.to_string();
    let kept = match area.level() {
        Level::Provinsi => return None,
        Level::Kabupaten => 2,
        Level::Kecamatan => 4,
        Level::Desa => 6,
    };
    format!("{:0<11}", digits.get(..kept)?).parse().ok()
}
