//! A node looked at closely: its feeds read by the plainest means, every run verified again, and its
//! views made anew beside those it kept.

use std::collections::BTreeSet;

use node::node::Node;
use node::ports::{FeedStore, RowFilter, ViewStore};
use node::replica::Replica;
use node::store::memory::MemoryViewStore;

use super::check::roots;
use super::told;
use super::town::Town;
use crate::histories::oracle::{self, every_row};

/// Terms of rows by which they are listed, at most.
const TERMS: usize = 24;
/// Nodes looked at after a heal; in a small town that is a quarter of them, in another order each time.
const CLOSELY: usize = 2;

impl Town {
    /// Some nodes against what their feeds say.
    ///
    /// # Errors
    /// What does not hold.
    pub(super) fn look_closely(&mut self, honest: &[usize]) -> Result<(), String> {
        let mut order = honest.to_vec();
        self.numbers.shuffle(&mut order);
        for site in order.into_iter().take(CLOSELY) {
            self.look_at(site)?;
        }
        Ok(())
    }

    /// The same of a node that was left with a part of what was on its way: edits without what they
    /// build on wait.
    ///
    /// # Errors
    /// What does not hold.
    pub(super) fn look_at_part(&mut self, site: usize) -> Result<(), String> {
        let up = self.sites[site].up.as_ref().filter(|_| self.honest().contains(&site));
        // Of a disk that failed nothing is asked before it was mended.
        if up.is_none_or(|up| up.node.replica().is_ill()) {
            return Ok(());
        }
        self.note("part looked at closely");
        self.look_at(site)
    }

    fn look_at(&mut self, site: usize) -> Result<(), String> {
        self.note("node looked at closely");
        let named = |what| format!("site {site} looked at closely: {what}");
        self.against_feeds(site).map_err(named)?;
        self.against_new_views(site).map_err(named)
    }

    /// What it shows is what its feeds say, computed the plain way; every run it holds verifies.
    fn against_feeds(&self, site: usize) -> Result<(), String> {
        let Some(up) = &self.sites[site].up else { return Ok(()) };
        let replica = up.node.replica();
        let (villages, statement) = (&self.villages, &self.cast.statement);
        let checked = match self.sites[site].shelf.truth() {
            Some(truth) => oracle::check_over(replica, &truth, statement, villages, false),
            None => oracle::check_over(replica, replica.feed_store(), statement, villages, false),
        };
        checked?;
        verified(replica)
    }

    /// Views that were kept through all that happened are those that a copy of the feeds makes
    /// from nothing.
    pub(super) fn against_new_views(&self, site: usize) -> Result<(), String> {
        let at = &self.sites[site];
        let Some(up) = &at.up else { return Ok(()) };
        let (feeds, _) = at.shelf.copy().lend().map_err(told)?;
        let anew = Node::lent(&at.loan, feeds, Box::new(MemoryViewStore::new())).map_err(told)?;
        let (kept, anew) = (up.node.replica(), anew.replica());
        let every = RowFilter::default();
        let (rows_kept, rows_anew) = (every_row(kept, &every)?, every_row(anew, &every)?);
        if rows_kept != rows_anew {
            let other = rows_kept.iter().zip(&rows_anew).find(|(one, other)| one != other);
            return Err(format!("views made anew have other rows: {other:?}"));
        }
        // In memory lists are made of the rows that were just compared.
        let listed = if at.shelf.has_threads() { &rows_kept[..] } else { &[] };
        let terms: BTreeSet<_> = listed.iter().flat_map(|row| row.terms.clone()).collect();
        let each = terms.len().div_ceil(TERMS).max(1);
        let with_term = |term| RowFilter { terms: vec![term], ..RowFilter::default() };
        let conflicts = RowFilter { conflicts_only: true, ..RowFilter::default() };
        let filters = terms.into_iter().step_by(each).map(with_term).chain([conflicts]);
        for filter in filters {
            if every_row(kept, &filter)? != every_row(anew, &filter)? {
                return Err("views made anew have other rows in a list".to_owned());
            }
        }
        let sums = |replica: &Replica<_, node::store::lent::Views>| {
            let views = replica.views().map_err(told)?;
            Ok::<_, String>((views.totals().map_err(told)?, views.counts().map_err(told)?))
        };
        if sums(kept)? != sums(anew)? {
            return Err("views made anew have other sums".to_owned());
        }
        let differs = |area: &&_| roots(kept, **area) != roots(anew, **area);
        match self.villages.iter().find(differs) {
            Some(area) => Err(format!("a node made anew has other roots of {area}")),
            None => Ok(()),
        }
    }
}

/// Every run held is verified again up to the newest entry of its branch: its chain, its signature, and
/// that its device's certificate is held.
fn verified<F: FeedStore, V: ViewStore>(replica: &Replica<F, V>) -> Result<(), String> {
    let store = replica.feed_store();
    for feed in replica.feeds() {
        let id = feed.name.id();
        let key = replica.authority().signing_key(&feed.name.device);
        let key = key.ok_or("a feed of a device that nothing certifies")?;
        for branch in &feed.branches {
            let mut from = branch.from.map_or(1, |(_, shared)| shared + 1);
            while let Some(run) = store.packed_run(id, branch.branch, from).map_err(told)? {
                let block = run.block().map_err(told)?;
                let last = block.last();
                let prev = store.point(id, branch.branch, from - 1).map_err(told)?;
                let prev = prev.ok_or("a run without a beginning")?;
                let refs = store.back_refs(id, branch.branch);
                let opened = run.open_block(block, id, prev, &*refs).map_err(told)?;
                opened.verify(&key).map_err(told)?;
                from = last + 1;
            }
            let head = branch.head.point.seq;
            if from != head + 1 {
                let last = from - 1;
                return Err(format!("the runs of a feed end at {last}, its head is {head}"));
            }
        }
    }
    Ok(())
}
