//! Which of several alias entries says what an area is today.
//!
//! Which of them count at all is decided with the rest of the authority, elsewhere; here is the
//! choice among those that do (architecture, 3.1).

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::code::Level;
use crate::authority::Alias;
use crate::id::EntryId;

/// An alias entry that counts, with what the choice needs of its header and author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountingAlias {
    /// The entry.
    pub entry: EntryId,
    /// The level of the device that wrote it.
    pub author: Level,
    /// The alias entries it replaces: its deps.
    pub replaces: Vec<EntryId>,
    /// What it says.
    pub alias: Alias,
}

/// The aliases of one area that none of them replaces, the one that decides first: the higher
/// level of its author, then the larger entry id. More than one is for the level above to settle.
pub(super) fn standing<'a>(aliases: &[&'a CountingAlias]) -> Vec<&'a CountingAlias> {
    let replaced: BTreeSet<EntryId> =
        aliases.iter().flat_map(|alias| alias.replaces.iter().copied()).collect();
    let mut standing: Vec<_> =
        aliases.iter().copied().filter(|alias| !replaced.contains(&alias.entry)).collect();
    standing.sort_by_key(|alias| (alias.author, Reverse(alias.entry)));
    standing
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;

    fn alias(entry: u8, author: Level, replaces: &[u8]) -> CountingAlias {
        CountingAlias {
            entry: EntryId([entry; 32]),
            author,
            replaces: replaces.iter().map(|it| EntryId([*it; 32])).collect(),
            alias: Alias {
                area: "32093920010".parse().unwrap(),
                code: "3209212016".parse().unwrap(),
                name: "Sambeng".into(),
                parent: "32092100000".parse().unwrap(),
                valid_from: 0,
                closes: vec![],
            },
        }
    }

    fn order(aliases: &[CountingAlias]) -> Vec<u8> {
        let all: Vec<&CountingAlias> = aliases.iter().collect();
        standing(&all).iter().map(|alias| alias.entry.0[0]).collect()
    }

    #[test]
    fn the_higher_level_decides_then_the_larger_id() {
        let (kab, prov) = (Level::Kabupaten, Level::Provinsi);
        assert_eq!(
            order(&[alias(9, kab, &[]), alias(1, prov, &[]), alias(2, prov, &[])]),
            [2, 1, 9]
        );
    }

    #[test]
    fn what_is_replaced_stands_no_more_even_when_its_replacement_is_replaced() {
        let (kab, prov) = (Level::Kabupaten, Level::Provinsi);
        let chain = [alias(1, prov, &[]), alias(2, kab, &[1]), alias(3, kab, &[2])];
        assert_eq!(order(&chain), [3]);
    }
}
