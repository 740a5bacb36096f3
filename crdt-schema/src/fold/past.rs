//! Sets of ranks: the past of an entry, kept only while something still builds on it, and those who
//! overwrote one put.

/// A set of ranks. Most pasts are everything below some rank and little above it, so the full
/// words at the front are only counted; of the rest the first word lies inline, so that a record
/// of up to 64 entries allocates nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Past {
    full_words: usize,
    first: u64,
    rest: Vec<u64>,
}

const WORD: usize = 64;

/// Ranks from some rank on, added in their order.
#[derive(Debug)]
pub(super) struct Ranks {
    /// Words of lower ranks, none of which is in it.
    skipped: usize,
    words: Vec<u64>,
}

impl Ranks {
    /// None yet; `rank` is the lowest that may be added.
    pub(super) const fn from(rank: usize) -> Self {
        Self { skipped: rank / WORD, words: Vec::new() }
    }

    /// Adds a rank that is not below the others.
    pub(super) fn push(&mut self, rank: usize) {
        let Some(place) = (rank / WORD).checked_sub(self.skipped) else { return };
        if self.words.len() <= place {
            // A put is one of many of its kind: what growing by doubling leaves unused, all would.
            self.words.reserve_exact(place + 1 - self.words.len());
            self.words.resize(place + 1, 0);
        }
        if let Some(word) = self.words.get_mut(place) {
            *word |= 1 << (rank % WORD);
        }
    }

    /// Whether any of them is in `past`.
    pub(super) fn meets(&self, past: &Past) -> bool {
        let mut words = self.words.iter().enumerate();
        words.any(|(place, word)| word & past.ranks_of(self.skipped + place) != 0)
    }

    /// Bytes it takes beside itself.
    pub(super) const fn heap_bytes(&self) -> usize {
        self.words.capacity() * size_of::<u64>()
    }
}

impl Past {
    /// Whether `rank` is in it.
    pub(super) fn contains(&self, rank: usize) -> bool {
        self.ranks_of(rank / WORD) >> (rank % WORD) & 1 == 1
    }

    /// Whether every rank below `rank` is in it, given that none from `rank` on is.
    pub(super) const fn is_all_below(&self, rank: usize) -> bool {
        self.full_words == rank / WORD && self.first == (1 << (rank % WORD)) - 1
    }

    /// Whether every rank below `rank` is in it, whatever else is.
    pub(super) const fn has_all_below(&self, rank: usize) -> bool {
        let (words, front) = (rank / WORD, (1 << (rank % WORD)) - 1);
        self.full_words > words || self.full_words == words && self.first & front == front
    }

    /// Adds one rank.
    pub(super) fn insert(&mut self, rank: usize) {
        if let Some(place) = (rank / WORD).checked_sub(self.full_words) {
            self.add(place, 1 << (rank % WORD));
            self.count_full_words();
        }
    }

    /// Adds every rank of `other`.
    pub(super) fn unite(&mut self, other: &Self) {
        if other.full_words > self.full_words {
            self.skip_words(other.full_words - self.full_words);
        }
        let words = std::iter::once(other.first).chain(other.rest.iter().copied());
        for (position, word) in words.enumerate() {
            let place = (other.full_words + position).checked_sub(self.full_words);
            if let Some(place) = place.filter(|_| word != 0) {
                self.add(place, word);
            }
        }
        self.count_full_words();
    }

    /// Bytes it takes beside itself.
    pub(super) const fn heap_bytes(&self) -> usize {
        self.rest.capacity() * size_of::<u64>()
    }

    /// Which ranks of word `number` are in it.
    fn ranks_of(&self, number: usize) -> u64 {
        number.checked_sub(self.full_words).map_or(u64::MAX, |place| self.word(place))
    }

    fn word(&self, place: usize) -> u64 {
        match place.checked_sub(1) {
            None => self.first,
            Some(place) => self.rest.get(place).copied().unwrap_or(0),
        }
    }

    fn add(&mut self, place: usize, bits: u64) {
        let Some(place) = place.checked_sub(1) else {
            self.first |= bits;
            return;
        };
        if self.rest.len() <= place {
            self.rest.resize(place + 1, 0);
        }
        if let Some(word) = self.rest.get_mut(place) {
            *word |= bits;
        }
    }

    fn skip_words(&mut self, count: usize) {
        self.first = self.word(count);
        self.rest.drain(..count.min(self.rest.len()));
        self.full_words += count;
    }

    fn count_full_words(&mut self) {
        let words = std::iter::once(self.first).chain(self.rest.iter().copied());
        let full = words.take_while(|word| *word == u64::MAX).count();
        if full > 0 {
            self.skip_words(full);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn past(ranks: &BTreeSet<usize>) -> Past {
        let mut past = Past::default();
        ranks.iter().rev().for_each(|rank| past.insert(*rank));
        past
    }

    fn any_ranks() -> impl Strategy<Value = BTreeSet<usize>> {
        let scattered = proptest::collection::btree_set(0usize..400, 0..40);
        (0usize..300, scattered).prop_map(|(below, more)| (0..below).chain(more).collect())
    }

    proptest! {
        #[test]
        fn a_past_is_the_set_that_was_put_into_it(mine in any_ranks(), others in any_ranks()) {
            let mut united = past(&mine);
            united.unite(&past(&others));
            let expected: BTreeSet<usize> = mine.union(&others).copied().collect();
            let found: BTreeSet<usize> = (0..500).filter(|rank| united.contains(*rank)).collect();
            prop_assert_eq!(&found, &expected);
            prop_assert_eq!(united, past(&expected));
        }

        #[test]
        fn ranks_meet_a_past_that_has_one_of_them(mine in any_ranks(), others in any_ranks()) {
            let Some(lowest) = others.first() else { return Ok(()) };
            let mut ranks = Ranks::from(*lowest);
            for rank in &others {
                ranks.push(*rank);
            }
            prop_assert_eq!(ranks.meets(&past(&mine)), !mine.is_disjoint(&others));
        }

        #[test]
        fn all_below_is_said_of_a_whole_front_only(ranks in any_ranks()) {
            let end = ranks.last().map_or(0, |last| last + 1);
            prop_assert_eq!(past(&ranks).is_all_below(end), ranks.len() == end);
            prop_assert!(past(&(0..end).collect()).is_all_below(end));
            for rank in 0..end + 70 {
                let has_all = (0..rank).all(|below| ranks.contains(&below));
                prop_assert_eq!(past(&ranks).has_all_below(rank), has_all);
            }
        }
    }
}
