//! Today's tree of areas: the base table with the counting aliases laid over it.
//!
//! Which alias entries count is the caller's knowledge. The tree never forgets a placement: what an
//! area was below before stays an answer, because rights and authority reach there until something
//! names where they end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::alias::{CountingAlias, standing};
use super::code::{AreaCode, AreaId, Level};
use super::table::table;
use crate::id::EntryId;

/// The areas of one network as they are today, and every placement they ever had.
///
/// Cloning is cheap. Alias entries may move, rename and re-code areas of the table, and bring new
/// ones; an alias whose levels do not fit (a desa below a kabupaten) is no part of any tree.
#[derive(Debug, Clone)]
pub struct AreaTree {
    root: AreaId,
    changed: Arc<Changes>,
}

/// What the aliases change.
#[derive(Debug, Default)]
struct Changes {
    areas: BTreeMap<AreaId, Changed>,
    /// Of every parent that lost or won a child: today's children, ascending.
    children: BTreeMap<AreaId, Vec<AreaId>>,
    /// Of every parent that ever won a child by an alias: those children.
    won: BTreeMap<AreaId, BTreeSet<AreaId>>,
    /// Areas that bear a code today, by an alias.
    today: BTreeMap<AreaCode, BTreeSet<AreaId>>,
    /// Areas that an alias ever gave a code, today's among them.
    ever: BTreeMap<AreaCode, BTreeSet<AreaId>>,
}

/// An area with an alias.
#[derive(Debug)]
struct Changed {
    code: AreaCode,
    name: String,
    parent: AreaId,
    /// Every parent a counting alias or the table ever gave it.
    parents: BTreeSet<AreaId>,
    /// Every code a counting alias ever gave it.
    codes: BTreeSet<AreaCode>,
    /// The aliases none replaces, the deciding one first.
    standing: Vec<EntryId>,
}

impl AreaTree {
    /// The table's areas in and below `root`, which need not be in the table.
    pub fn new(root: AreaId) -> Self {
        Self { root, changed: Arc::default() }
    }

    /// The province of the table, as it was first.
    pub fn west_java() -> Self {
        Self::new(AreaId::WEST_JAVA)
    }

    /// The same tree with these aliases, and no others.
    #[must_use]
    pub fn with_aliases<'a>(&self, aliases: impl IntoIterator<Item = &'a CountingAlias>) -> Self {
        let mut by_area: BTreeMap<AreaId, Vec<&CountingAlias>> = BTreeMap::new();
        for alias in aliases {
            if alias.alias.area != self.root && alias.alias.fits() {
                by_area.entry(alias.alias.area).or_default().push(alias);
            }
        }
        Self { root: self.root, changed: Arc::new(Changes::of(&by_area)) }
    }

    /// The network's own area.
    pub const fn root(&self) -> AreaId {
        self.root
    }

    /// Whether the area is in this tree: the root, or below it today.
    pub fn contains(&self, area: AreaId) -> bool {
        self.covers(self.root, area)
    }

    /// Today's code.
    pub fn code(&self, area: AreaId) -> Option<AreaCode> {
        let changed = self.changed.areas.get(&area).map(|changed| changed.code);
        changed
            .or_else(|| table().area(area).map(|base| base.code))
            .or_else(|| area.first_code().filter(|_| area == self.root))
    }

    /// Today's name; of a root that is not in the table, nothing.
    pub fn name(&self, area: AreaId) -> Option<&str> {
        let changed = self.changed.areas.get(&area).map(|changed| changed.name.as_str());
        changed.or_else(|| table().area(area).map(|base| base.name))
    }

    /// The level, which no alias changes.
    pub fn level(&self, area: AreaId) -> Level {
        area.level()
    }

    /// One level up, today; `None` for the root and for areas of no tree.
    pub fn parent(&self, area: AreaId) -> Option<AreaId> {
        if area == self.root {
            return None;
        }
        let changed = self.changed.areas.get(&area).map(|changed| changed.parent);
        changed.or_else(|| table().area(area)?.parent)
    }

    /// One level down, today, ascending.
    pub fn children(&self, area: AreaId) -> &[AreaId] {
        let changed = self.changed.children.get(&area).map(Vec::as_slice);
        changed.unwrap_or_else(|| table().children(area))
    }

    /// Today's areas above, the nearest first, the root last.
    pub fn ancestors(&self, area: AreaId) -> Vec<AreaId> {
        std::iter::successors(self.parent(area), |above| self.parent(*above)).collect()
    }

    /// Everything below today, each area before what lies below it.
    pub fn descendants(&self, area: AreaId) -> Vec<AreaId> {
        let mut below = Vec::new();
        let mut waiting: Vec<AreaId> = self.children(area).iter().rev().copied().collect();
        while let Some(next) = waiting.pop() {
            below.push(next);
            waiting.extend(self.children(next).iter().rev());
        }
        below
    }

    /// Whether `below` is `area` or lies below it today.
    pub fn covers(&self, area: AreaId, below: AreaId) -> bool {
        // Above its own level an area is not met.
        let up =
            |next: &AreaId| (next.level() > area.level()).then(|| self.parent(*next)).flatten();
        std::iter::successors(Some(below), up).any(|next| next == area)
    }

    /// Whether `below` is `area`, or the table or any counting alias ever placed it below.
    pub fn ever_covered(&self, area: AreaId, below: AreaId) -> bool {
        let lies_above = || area.level() < below.level();
        area == below
            || lies_above() && self.parents(below).any(|parent| self.ever_covered(area, parent))
    }

    /// Every parent the area ever had that it does not have today.
    pub fn former_parents(&self, area: AreaId) -> Vec<AreaId> {
        let today = self.parent(area);
        self.parents(area).filter(|parent| Some(*parent) != today).collect()
    }

    /// Areas above, today's and former.
    pub fn ever_ancestors(&self, area: AreaId) -> BTreeSet<AreaId> {
        let mut above = BTreeSet::new();
        let mut waiting: Vec<AreaId> = self.parents(area).collect();
        while let Some(next) = waiting.pop() {
            if above.insert(next) {
                waiting.extend(self.parents(next));
            }
        }
        above
    }

    /// Everything that is below today or ever was, ascending.
    pub fn ever_descendants(&self, area: AreaId) -> BTreeSet<AreaId> {
        let mut below = BTreeSet::new();
        let mut waiting = vec![area];
        while let Some(next) = waiting.pop() {
            let won = self.changed.won.get(&next).into_iter().flatten();
            let all = table().children(next).iter().chain(won);
            waiting.extend(all.copied().filter(|child| below.insert(*child)));
        }
        below
    }

    /// Areas whose authority is part of this area's beside its own and that of all below it:
    /// today's and former ancestors of the area and of all below it, without those inside it.
    pub fn above(&self, area: AreaId) -> BTreeSet<AreaId> {
        let mut above = self.ever_ancestors(area);
        let moved = self.changed.areas.keys().filter(|moved| self.covers(area, **moved));
        for moved in moved {
            above.extend(self.ever_ancestors(*moved));
        }
        above.retain(|found| !self.covers(area, *found));
        above
    }

    /// Areas on whose authority anything may rest that lies in this area or ever lay below it: of what
    /// moved away also where it lies today, for that is where its new devices are certified.
    pub fn ever_above(&self, area: AreaId) -> BTreeSet<AreaId> {
        let mut above = self.ever_ancestors(area);
        let moved = self.changed.areas.keys().filter(|moved| self.ever_covered(area, **moved));
        for moved in moved {
            above.extend(self.ever_ancestors(*moved));
        }
        above
    }

    /// The areas a person may mean by a code (today's, a former or a known later one, with or
    /// without dots) or by the eleven digits of an id, ascending. Two that have not heard of each other
    /// can give one code to two areas: then several, and only an id tells them apart.
    pub fn find(&self, text: &str) -> Vec<AreaId> {
        let mut found = match (text.parse::<AreaId>(), text.parse::<AreaCode>()) {
            (Ok(id), _) => vec![id],
            (Err(_), Ok(code)) => self.by_code(code),
            (Err(_), Err(_)) => Vec::new(),
        };
        found.retain(|area| self.contains(*area));
        found
    }

    /// Codes that several areas bear today, each with those areas, ascending.
    pub fn shared_codes(&self) -> Vec<(AreaCode, Vec<AreaId>)> {
        let bearers = self.changed.today.keys().map(|code| (*code, self.bearers(*code)));
        bearers.filter(|(_, areas)| areas.len() > 1).collect()
    }

    /// Whether another area bears the same code today.
    pub fn shares_its_code(&self, area: AreaId) -> bool {
        self.code(area).is_some_and(|code| self.bearers(code).iter().any(|other| *other != area))
    }

    /// Codes the area bore and does not bear today, ascending.
    pub fn former_codes(&self, area: AreaId) -> Vec<AreaCode> {
        let given = self.changed.areas.get(&area).into_iter().flat_map(|changed| &changed.codes);
        let mut codes: BTreeSet<AreaCode> = given.copied().chain(area.first_code()).collect();
        if let Some(today) = self.code(area) {
            codes.remove(&today);
        }
        codes.into_iter().collect()
    }

    /// The code that the table knows the area was given elsewhere and that this network did not give
    /// it: it is found by that, too.
    pub fn later_code(&self, area: AreaId) -> Option<AreaCode> {
        let later = table().area(area)?.later_code?;
        let known = self.code(area) == Some(later) || self.former_codes(area).contains(&later);
        (!known).then_some(later)
    }

    /// The alias entries that say what the area is, the deciding one first: empty without any,
    /// more than one when the level above should choose.
    pub fn standing_aliases(&self, area: AreaId) -> &[EntryId] {
        self.changed.areas.get(&area).map_or(&[], |changed| &changed.standing)
    }

    /// Areas several aliases claim at once.
    pub fn contested(&self) -> Vec<AreaId> {
        let several = self.changed.areas.iter().filter(|(_, changed)| changed.standing.len() > 1);
        several.map(|(area, _)| *area).collect()
    }

    /// A code is today's of one area before it is the former or later one of another.
    fn by_code(&self, code: AreaCode) -> Vec<AreaId> {
        let mut found = self.bearers(code);
        if found.is_empty() {
            found = self.bore(code);
        }
        if found.is_empty() {
            let root = Some(code.first_id()).filter(|id| *id == self.root);
            found.extend(table().later(code).or(root));
        }
        found
    }

    /// Areas of this tree that bear a code today, ascending.
    pub fn bearers(&self, code: AreaCode) -> Vec<AreaId> {
        let given = self.changed.today.get(&code).into_iter().flatten().copied();
        let first = table().first(code).filter(|id| !self.changed.areas.contains_key(id));
        self.here(given.chain(first))
    }

    /// Areas of this tree that ever bore a code.
    fn bore(&self, code: AreaCode) -> Vec<AreaId> {
        let given = self.changed.ever.get(&code).into_iter().flatten().copied();
        self.here(given.chain(table().first(code)))
    }

    fn here(&self, areas: impl Iterator<Item = AreaId>) -> Vec<AreaId> {
        let here: BTreeSet<AreaId> = areas.filter(|area| self.contains(*area)).collect();
        here.into_iter().collect()
    }

    /// Every parent it ever had: each lies one level higher.
    fn parents(&self, area: AreaId) -> impl Iterator<Item = AreaId> {
        let below = Some(area).filter(|area| *area != self.root);
        let changed = below.and_then(|area| self.changed.areas.get(&area));
        let base = below.filter(|_| changed.is_none()).and_then(|area| table().area(area)?.parent);
        changed.into_iter().flat_map(|changed| changed.parents.iter().copied()).chain(base)
    }
}

impl Changes {
    fn of(by_area: &BTreeMap<AreaId, Vec<&CountingAlias>>) -> Self {
        let mut changes = Self::default();
        for (area, aliases) in by_area {
            changes.place(*area, aliases);
        }
        changes.rebuild_children();
        changes
    }

    fn place(&mut self, area: AreaId, aliases: &[&CountingAlias]) {
        let standing = standing(aliases);
        // Ids are hashes of what they name, so no two entries replace each other: one always stands.
        let Some(first) = standing.first() else { return };
        let base = table().area(area).and_then(|base| base.parent);
        for alias in aliases {
            self.ever.entry(alias.alias.code).or_default().insert(area);
            self.won.entry(alias.alias.parent).or_default().insert(area);
        }
        self.today.entry(first.alias.code).or_default().insert(area);
        let changed = Changed {
            code: first.alias.code,
            name: first.alias.name.clone(),
            parent: first.alias.parent,
            parents: aliases.iter().map(|alias| alias.alias.parent).chain(base).collect(),
            codes: aliases.iter().map(|alias| alias.alias.code).collect(),
            standing: standing.iter().map(|alias| alias.entry).collect(),
        };
        self.areas.insert(area, changed);
    }

    fn rebuild_children(&mut self) {
        let touched: BTreeSet<AreaId> =
            self.areas.values().flat_map(|changed| changed.parents.iter().copied()).collect();
        for parent in touched {
            let stay = |child: &AreaId| !self.areas.contains_key(child);
            let mut children: Vec<AreaId> =
                table().children(parent).iter().copied().filter(stay).collect();
            let come = self.won.get(&parent).into_iter().flatten();
            let here = |child: &&AreaId| self.areas.get(child).is_some_and(|c| c.parent == parent);
            children.extend(come.filter(here));
            children.sort_unstable();
            self.children.insert(parent, children);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use proptest::prelude::*;

    use super::*;
    use crate::area::base_areas;
    use crate::authority::Alias;

    fn id(code: &str) -> AreaId {
        code.parse::<AreaCode>().unwrap().first_id()
    }

    fn tree() -> AreaTree {
        AreaTree::new(id("32"))
    }

    fn alias(entry: u8, area: &str, code: &str, parent: &str, replaces: &[u8]) -> CountingAlias {
        CountingAlias {
            entry: EntryId([entry; 32]),
            author: Level::Kabupaten,
            replaces: replaces.iter().map(|it| EntryId([*it; 32])).collect(),
            alias: Alias {
                area: id(area),
                code: code.parse().unwrap(),
                name: format!("nama {entry}"),
                parent: id(parent),
                valid_from: 0,
                closes: vec![],
            },
        }
    }

    fn sambeng_moved() -> CountingAlias {
        alias(1, "32.09.39.2001", "32.09.21.2016", "32.09.21", &[])
    }

    #[test]
    fn a_moved_village_is_below_its_new_kecamatan_and_remembers_the_old_one() {
        let tree = tree().with_aliases([&sambeng_moved()]);
        let (sambeng, old, new) = (id("32.09.39.2001"), id("32.09.39"), id("32.09.21"));
        assert_eq!(tree.ancestors(sambeng), [new, id("32.09"), id("32")]);
        assert!(tree.covers(new, sambeng) && !tree.covers(old, sambeng));
        assert!(tree.ever_covered(new, sambeng) && tree.ever_covered(old, sambeng));
        assert_eq!(tree.former_parents(sambeng), [old]);
        assert_eq!((tree.children(old).len(), tree.children(new).len()), (10, 14));
        assert!(tree.ever_descendants(old).contains(&sambeng));
        assert!(tree.above(new).contains(&old) && !tree.above(old).contains(&new));
        assert_eq!(tree.above(id("32.09")), BTreeSet::from([id("32")]));
    }

    #[test]
    fn any_code_it_ever_had_finds_an_area() {
        let before = tree();
        let moved = before.with_aliases([&sambeng_moved()]);
        for tree in [&before, &moved] {
            for text in
                ["32.09.39.2001", "3209392001", "32.09.21.2016", "3209212016", "32093920010"]
            {
                assert_eq!(tree.find(text), [id("32.09.39.2001")], "{text}");
            }
            assert_eq!(tree.find("32.09.21.2999"), []);
            assert_eq!(tree.find("33"), []);
        }
        assert_eq!(before.code(id("32.09.39.2001")).unwrap().to_string(), "32.09.39.2001");
        assert_eq!(moved.code(id("32.09.39.2001")).unwrap().to_string(), "32.09.21.2016");
    }

    #[test]
    fn todays_code_of_one_area_wins_over_anothers_former_code() {
        let aliases =
            [sambeng_moved(), alias(2, "32.09.39.2002", "32.09.39.2001", "32.09.39", &[])];
        let tree = tree().with_aliases(&aliases);
        assert_eq!(tree.find("32.09.39.2001"), [id("32.09.39.2002")]);
        assert_eq!(tree.find("32.09.39.2002"), [id("32.09.39.2002")]);
    }

    #[test]
    fn a_code_that_two_areas_bear_means_both_until_one_is_given_another() {
        let mut aliases = vec![
            alias(1, "32.09.39.2001", "32.09.21.2099", "32.09.21", &[]),
            alias(2, "32.09.39.2002", "32.09.21.2099", "32.09.21", &[]),
        ];
        let (one, other) = (id("32.09.39.2001"), id("32.09.39.2002"));
        let shared = tree().with_aliases(&aliases);
        assert_eq!(shared.find("32.09.21.2099"), [one, other]);
        assert_eq!(shared.shared_codes(), [("32.09.21.2099".parse().unwrap(), vec![one, other])]);
        assert!(shared.shares_its_code(one) && !shared.shares_its_code(id("32.09.39.2003")));
        // Former codes and ids still tell them apart.
        assert_eq!(shared.find("32.09.39.2001"), [one]);
        assert_eq!(shared.find("32093920020"), [other]);
        aliases.push(alias(3, "32.09.39.2002", "32.09.39.2002", "32.09.39", &[2]));
        let settled = tree().with_aliases(&aliases);
        assert_eq!(settled.find("32.09.21.2099"), [one]);
        assert_eq!(settled.shared_codes(), []);
        assert_eq!(settled.former_codes(other), ["32.09.21.2099".parse().unwrap()]);
    }

    #[test]
    fn a_code_that_an_area_took_from_one_that_never_moved_means_both() {
        let tree =
            tree().with_aliases([&alias(1, "32.09.39.2001", "32.09.21.2001", "32.09.21", &[])]);
        assert_eq!(tree.find("32.09.21.2001"), [id("32.09.21.2001"), id("32.09.39.2001")]);
    }

    #[test]
    fn a_code_only_the_table_knows_is_named_until_the_network_gives_it() {
        let (before, sambeng) = (tree(), id("32.09.39.2001"));
        assert_eq!(before.later_code(sambeng), Some("32.09.21.2016".parse().unwrap()));
        assert_eq!(before.former_codes(sambeng), []);
        let moved = before.with_aliases([&sambeng_moved()]);
        assert_eq!(moved.later_code(sambeng), None);
        assert_eq!(moved.former_codes(sambeng), ["32.09.39.2001".parse().unwrap()]);
    }

    #[test]
    fn two_aliases_side_by_side_are_contested_until_one_replaces_both() {
        let mut aliases =
            vec![sambeng_moved(), alias(2, "32.09.39.2001", "32.09.20.2016", "32.09.20", &[])];
        let apart = tree().with_aliases(&aliases);
        assert_eq!(apart.contested(), [id("32.09.39.2001")]);
        assert_eq!(apart.parent(id("32.09.39.2001")), Some(id("32.09.20")));
        aliases.push(alias(3, "32.09.39.2001", "32.09.21.2016", "32.09.21", &[1, 2]));
        let settled = tree().with_aliases(&aliases);
        assert_eq!(settled.contested(), []);
        assert_eq!(settled.parent(id("32.09.39.2001")), Some(id("32.09.21")));
        assert_eq!(settled.former_parents(id("32.09.39.2001")), [id("32.09.20"), id("32.09.39")]);
    }

    #[test]
    fn an_alias_may_bring_a_new_area_and_never_a_new_level() {
        let born = alias(1, "32.09.41.2001", "32.09.41.2001", "32.09.39", &[]);
        let misfit = alias(2, "32.09.39.2001", "32.09.21.2016", "32.09", &[]);
        let tree = tree().with_aliases([&born, &misfit]);
        assert_eq!(tree.find("32.09.41.2001"), [id("32.09.41.2001")]);
        assert_eq!(tree.name(id("32.09.41.2001")), Some("nama 1"));
        assert_eq!(tree.parent(id("32.09.39.2001")), Some(id("32.09.39")));
    }

    #[test]
    fn a_smaller_network_ends_at_its_own_root() {
        let cirebon = AreaTree::new(id("32.09"));
        assert_eq!(cirebon.parent(id("32.09")), None);
        assert_eq!(cirebon.find("32.01"), []);
        assert_eq!(cirebon.descendants(id("32.09")).len(), 40 + 424);
        let elsewhere = AreaTree::new(id("33"));
        assert_eq!(elsewhere.find("33"), [id("33")]);
        assert_eq!(elsewhere.descendants(id("33")), []);
    }

    #[test]
    fn everything_of_the_table_lies_below_the_province() {
        let tree = tree();
        let below: BTreeSet<AreaId> = tree.descendants(id("32")).into_iter().collect();
        assert_eq!(below, base_areas().skip(1).map(|area| area.id).collect());
        assert_eq!(below, tree.ever_descendants(id("32")));
    }

    fn some_aliases() -> impl Strategy<Value = Vec<CountingAlias>> {
        let one = (0u8..6, 0u8..4, 0u8..3);
        proptest::collection::vec(one, 0..12).prop_map(|drawn| {
            let one = |(entry, (village, kecamatan, back)): (usize, (u8, u8, u8))| {
                let entry = u8::try_from(entry + 1).unwrap();
                let area = format!("32.09.39.20{:02}", village + 1);
                let parent = format!("32.09.{:02}", kecamatan + 20);
                let replaces: Vec<u8> = (1..entry).rev().take(back.into()).collect();
                alias(entry, &area, &area, &parent, &replaces)
            };
            drawn.into_iter().enumerate().map(one).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn the_tree_does_not_depend_on_the_order_of_aliases(
            (straight, shuffled) in some_aliases().prop_flat_map(|it| {
                (Just(it.clone()), Just(it).prop_shuffle())
            })
        ) {
            let (a, b) = (tree().with_aliases(&straight), tree().with_aliases(&shuffled));
            prop_assert_eq!(format!("{a:?}"), format!("{b:?}"));
        }

        #[test]
        fn parents_and_children_agree(aliases in some_aliases()) {
            let tree = tree().with_aliases(&aliases);
            let below = tree.descendants(tree.root());
            prop_assert_eq!(below.len(), 27 + 627 + 5_957);
            for area in below {
                let parent = tree.parent(area).unwrap();
                prop_assert!(tree.children(parent).binary_search(&area).is_ok());
                prop_assert!(tree.former_parents(area).iter().all(|it| tree.ever_covered(*it, area)));
            }
        }

        #[test]
        fn an_area_covers_what_has_it_above(aliases in some_aliases()) {
            let tree = tree().with_aliases(&aliases);
            let kecamatan = (20..24).chain([39]).map(|it| id(&format!("32.09.{it}")));
            let villages = (1..8).map(|it| id(&format!("32.09.39.20{it:02}")));
            let some = [id("32"), id("32.09"), id("32.01")].into_iter().chain(kecamatan);
            let some: Vec<AreaId> = some.chain(villages).collect();
            for (area, below) in some.iter().flat_map(|one| some.iter().map(move |it| (*one, *it))) {
                let (today, ever) = (tree.ancestors(below), tree.ever_ancestors(below));
                prop_assert_eq!(tree.covers(area, below), area == below || today.contains(&area));
                prop_assert_eq!(tree.ever_covered(area, below), area == below || ever.contains(&area));
            }
        }
    }
}
