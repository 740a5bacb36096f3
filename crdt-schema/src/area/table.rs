//! The areas every network begins with: West Java under the first codes we know, compiled in.
//!
//! `data/jawa-barat.csv` was derived by the script beside it (sources: NOTICE). Where an area has
//! another code today, the row holds the first one, which is its identity, and names the later one,
//! so that people may type either. What a network's own alias entries change is `tree.rs`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::code::{AreaCode, AreaId};

const ROWS: &str = include_str!("../../data/jawa-barat.csv");

/// One area as it was first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseArea {
    /// Its identity.
    pub id: AreaId,
    /// Its first code.
    pub code: AreaCode,
    /// Its name, as the Home Ministry writes it.
    pub name: &'static str,
    /// The area above; `None` for a province.
    pub parent: Option<AreaId>,
    /// The code it was given later, where that is known.
    pub later_code: Option<AreaCode>,
}

/// Every area of the table, ascending by id: an area stands before all below it.
pub fn base_areas() -> impl Iterator<Item = &'static BaseArea> {
    table().areas.iter()
}

/// The table, parsed once.
pub(super) struct Table {
    areas: Vec<BaseArea>,
    children: BTreeMap<AreaId, Vec<AreaId>>,
    later: BTreeMap<AreaCode, AreaId>,
}

impl Table {
    /// The area with this id.
    pub(super) fn area(&self, id: AreaId) -> Option<&BaseArea> {
        let place = self.areas.binary_search_by_key(&id, |area| area.id).ok()?;
        self.areas.get(place)
    }

    /// The areas first placed directly below, ascending.
    pub(super) fn children(&self, id: AreaId) -> &[AreaId] {
        self.children.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The area whose first code this is.
    pub(super) fn first(&self, code: AreaCode) -> Option<AreaId> {
        self.area(code.first_id()).map(|area| area.id)
    }

    /// The area whose known later code this is.
    pub(super) fn later(&self, code: AreaCode) -> Option<AreaId> {
        self.later.get(&code).copied()
    }
}

/// The one table of this process.
pub(super) fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let areas: Vec<BaseArea> = ROWS.lines().skip(1).filter_map(read_row).collect();
        let mut children: BTreeMap<AreaId, Vec<AreaId>> = BTreeMap::new();
        for area in &areas {
            if let Some(parent) = area.parent {
                children.entry(parent).or_default().push(area.id);
            }
        }
        let later = areas.iter().filter_map(|area| Some((area.later_code?, area.id))).collect();
        Table { areas, children, later }
    })
}

/// Names hold no comma and no quote (a test holds the file to that).
fn read_row(row: &'static str) -> Option<BaseArea> {
    let (code, rest) = row.split_once(',')?;
    let (name, later) = rest.split_once(',')?;
    let code: AreaCode = code.parse().ok()?;
    let parent = code.parent().map(|parent| parent.first_id());
    Some(BaseArea { id: code.first_id(), code, name, parent, later_code: later.parse().ok() })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use std::collections::BTreeSet;

    use super::*;
    use crate::area::Level;

    fn today(area: &BaseArea) -> AreaCode {
        area.later_code.unwrap_or(area.code)
    }

    fn count(level: Level) -> usize {
        base_areas().filter(|area| area.code.level() == level).count()
    }

    #[test]
    fn west_java_is_whole() {
        let counts = [Level::Provinsi, Level::Kabupaten, Level::Kecamatan, Level::Desa].map(count);
        assert_eq!(counts, [1, 27, 627, 5_957]);
        assert_eq!(base_areas().count(), ROWS.lines().count() - 1, "a row was not read");
        assert!(base_areas().zip(base_areas().skip(1)).all(|(a, b)| a.id < b.id));
    }

    #[test]
    fn todays_codes_are_5311_desa_and_646_kelurahan() {
        let starts = |digit| {
            let villages = base_areas().filter(|area| area.code.level() == Level::Desa);
            villages.filter(|area| today(area).digits().get(6..7) == Some(digit)).count()
        };
        assert_eq!((starts("2"), starts("1"), starts("3")), (5_311, 646, 0));
    }

    #[test]
    fn every_area_lies_below_one_of_the_table() {
        let ids: BTreeSet<AreaId> = base_areas().map(|area| area.id).collect();
        let lost = |area: &&BaseArea| area.parent.is_some_and(|parent| !ids.contains(&parent));
        assert_eq!(base_areas().find(lost), None);
        let tops: Vec<&str> = base_areas().filter(|a| a.parent.is_none()).map(|a| a.name).collect();
        assert_eq!(tops, ["Jawa Barat"]);
    }

    #[test]
    fn no_name_repeats_inside_a_kecamatan_and_no_code_at_all() {
        let villages = base_areas().filter(|area| area.code.level() == Level::Desa);
        let names: BTreeSet<_> =
            villages.map(|area| (today(area).parent().unwrap(), area.name)).collect();
        assert_eq!(names.len(), 5_957);
        let codes: BTreeSet<_> = base_areas().flat_map(|a| [Some(a.code), a.later_code]).collect();
        assert_eq!(codes.len(), 6_612 + 3 + 1);
    }

    #[test]
    fn three_villages_have_another_code_today() {
        let moved = base_areas().filter_map(|area| Some((area, area.later_code?)));
        let shown: Vec<String> =
            moved.map(|(area, later)| format!("{} {} {later}", area.name, area.code)).collect();
        assert_eq!(
            shown,
            [
                "Sambeng 32.09.39.2001 32.09.21.2016",
                "Sirnabaya 32.09.39.2002 32.09.21.2017",
                "Setia Asih 32.16.01.2007 32.16.01.1007",
            ]
        );
    }

    #[test]
    fn names_are_plain_and_short() {
        let plain = |name: &str| name.is_ascii() && !name.contains([',', '"']) && name.len() <= 27;
        assert_eq!(base_areas().find(|area| !plain(area.name)), None);
    }
}
