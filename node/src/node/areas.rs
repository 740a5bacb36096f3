//! Areas as this network has them today, and a village that moves.

use crdt_schema::area::{AreaCode, AreaId};
use crdt_schema::authority::{Alias, FeedEnd, NAMES_MAX, Payload};
use crdt_schema::entry::DEPS_MAX;
use crdt_schema::id::{DeviceId, FeedName, Space};

use super::Node;
use crate::answer::{AreaEntry, AreaList, AreaName, AreaRehome, AreaShow, EntryRef};
use crate::authority::Member;
use crate::describe;
use crate::error::NodeError;
use crate::reason::{self, Because};

impl Node {
    /// One area with what lies above and directly below.
    ///
    /// # Errors
    /// [`NodeError::Usage`] or [`NodeError::AreaUnknown`].
    pub fn area_show(&self, code: &str) -> Result<AreaShow, NodeError> {
        describe::area_show(self.tree(), Some(self.own_area()), code)
    }

    /// Areas in and below one, or all.
    ///
    /// # Errors
    /// As [`Node::area_show`].
    pub fn area_list(&self, under: Option<&str>) -> Result<AreaList, NodeError> {
        describe::area_list(self.tree(), Some(self.own_area()), under)
    }

    /// One area by itself, as it is called today.
    pub fn area_entry(&self, area: &AreaName) -> AreaEntry {
        describe::area_entry(self.tree(), area.id())
    }

    /// The area a device belongs to; `None` for a device no certificate names.
    pub fn home_of(&self, device: &DeviceId) -> Option<AreaEntry> {
        let area = self.authority().member(device).and_then(Member::area)?;
        Some(describe::area_entry(self.tree(), area))
    }

    /// Gives an area another code, and with it perhaps another parent: one entry, no record moves.
    /// Feeds of records whose right to write there rests on the old parent end where this node holds
    /// them; whom the old parent certified stays certified.
    ///
    /// # Errors
    /// [`NodeError`] when an area is not known, the codes do not fit, this device does not stand
    /// above both parents, or the disk fails.
    pub fn rehome(&mut self, old: &str, new: &str) -> Result<AreaRehome, NodeError> {
        let area = self.area(old)?;
        let before = self.area_name(area).area;
        let code: AreaCode = new.trim().parse().map_err(|error| NodeError::area(new, error))?;
        if code.level() != area.level() || code == before {
            let what = Because::of(&reason::MOVE_CODE).with("before", before).with("code", code);
            return Err(what.into());
        }
        if !self.tree().children(area).is_empty() {
            // Codes say what lies above: those below would go on naming the old place.
            return Err(Because::of(&reason::MOVE_PARENT).with("before", before).into());
        }
        if let Some(bearer) = self.tree().bearers(code).iter().find(|bearer| **bearer != area) {
            let AreaEntry { level, name, .. } = describe::area_entry(self.tree(), *bearer);
            let taken = Because::of(&reason::MOVE_TAKEN_BY).with("code", code);
            return Err(taken.with("name", format!("{level} {name}")).into());
        }
        // What this device may issue in lies below its own area, and has a parent.
        self.must_issue(area)?;
        let outside = |area: AreaCode| NodeError::AreaOutside {
            area: area.to_string(),
            own: self.area_said(self.own_area()),
        };
        let parent = code.parent().ok_or_else(|| outside(code))?;
        let new_parent = self.area(&parent.to_string())?;
        let old_parent = self.tree().parent(area).ok_or_else(|| outside(before))?;
        let at = self.common_ancestor(old_parent, new_parent).ok_or_else(|| outside(parent))?;
        if !self.stands_above(at) {
            return Err(outside(parent));
        }
        let at =
            self.reaches_former(area, at).filter(|wide| self.stands_above(*wide)).unwrap_or(at);
        let alias = Alias {
            area,
            code,
            name: self.tree().name(area).unwrap_or_default().to_owned(),
            parent: new_parent,
            valid_from: self.today_number(),
            closes: self.closed_by_move(area, old_parent, new_parent)?,
        };
        // All of them, not only those that stand: whoever lies elsewhere holds some of what came
        // between, and must not take it for the newest.
        let mut replaces = self.authority().aliases_of(area);
        replaces.truncate(DEPS_MAX);
        let entry = self.declare(at, Payload::Alias(alias), replaces)?;
        Ok(AreaRehome { area_id: area, old: before, new: code, entry: EntryRef::from(&entry) })
    }

    /// Whether this device's own area is `at` or above it.
    fn stands_above(&self, at: AreaId) -> bool {
        let Some(me) = self.me() else { return false };
        me.grants.iter().any(|grant| self.tree().covers(grant.area, at))
    }

    /// The lowest area that covers both; an alias lies in its authority, which reaches everyone
    /// below, in the old place and in the new one.
    fn common_ancestor(&self, a: AreaId, b: AreaId) -> Option<AreaId> {
        let own = |area: AreaId| [area].into_iter().chain(self.tree().ancestors(area));
        own(a).find(|above| self.tree().covers(*above, b))
    }

    /// The lowest area that covers `at` and every parent the area ever had: who heard of an earlier
    /// move hears of this one.
    fn reaches_former(&self, area: AreaId, at: AreaId) -> Option<AreaId> {
        let mut former = self.tree().former_parents(area).into_iter();
        former.try_fold(at, |wide, parent| self.common_ancestor(wide, parent))
    }

    /// Where the feeds of records end whose device covered the area by its old parent and will not by the new.
    fn closed_by_move(
        &self,
        area: AreaId,
        old_parent: AreaId,
        new_parent: AreaId,
    ) -> Result<Vec<FeedEnd>, NodeError> {
        if old_parent == new_parent {
            return Ok(Vec::new());
        }
        let leaves = |name: &FeedName| {
            let Some(member) = self.authority().member(&name.device) else { return false };
            let stays = member
                .grants
                .iter()
                .any(|grant| grant.area == area || self.tree().covers(grant.area, new_parent));
            !stays
        };
        let is_there = |name: &FeedName| name.space == Space::Records && name.area == area;
        let feeds = self.replica.feeds().filter(|feed| is_there(&feed.name));
        let leaving = feeds.filter(|feed| leaves(&feed.name));
        let end = |feed: &crate::ports::FeedHeads| {
            let last = feed.branches.iter().map(|branch| branch.head.point).max();
            last.map(|last| FeedEnd { feed: feed.name.id(), last })
        };
        let ends: Vec<FeedEnd> = leaving.filter_map(end).collect();
        if ends.len() > NAMES_MAX {
            return Err(Because::of(&reason::MOVE_FEEDS).with("most", NAMES_MAX).into());
        }
        Ok(ends)
    }

    /// Today as `YYYYMMDD` for reports, by this node's clock.
    fn today_number(&self) -> u32 {
        self.today().map_or(0, |date| {
            u32::from(date.year()) * 10_000 + u32::from(date.month()) * 100 + u32::from(date.day())
        })
    }
}
