//! After a failed write: the stores are read anew, so that a node that runs goes on by itself.
//!
//! A write that failed may have reached the disk all the same: its entries are then held though
//! nobody was told so, which is no loss. What is remembered of the stores is therefore thrown away
//! and read again, heads, authority and views alike.

use std::collections::BTreeSet;

use super::declared::Declared;
use super::held::Held;
use super::stage::Stage;
use super::{INCARNATION, Replica};
use crate::ports::{FeedStore, StoreError, ViewStore};

impl<F: FeedStore, V: ViewStore> Replica<F, V> {
    /// Whether a store failed and was not read anew since.
    pub const fn is_ill(&self) -> bool {
        self.is_ill || self.views_behind.is_some()
    }

    /// Notes that a store refused to be read.
    pub const fn fell_ill(&mut self) {
        self.is_ill = true;
    }

    /// Reads stores that failed anew. A disk that goes on failing leaves them refusing, and this may
    /// be tried again.
    pub fn mend(&mut self) {
        if self.is_ill {
            self.is_ill = self.read_anew().is_err();
        } else if self.views_behind.is_some() {
            // Views are not read for as long as a feed cannot be judged.
            let judged = self.judge_feeds(self.unread.clone());
            self.is_ill = judged.is_err();
            if self.unread.is_empty() {
                self.read_views_anew();
            }
        }
    }

    fn read_anew(&mut self) -> Result<(), StoreError> {
        self.stage = Stage::default();
        self.feeds.reopen()?;
        self.held = Held::load(&self.feeds)?;
        self.declared = Declared::read(&self.feeds, &self.held)?;
        self.arrived = self.newest_arrival()?;
        let incarnation = self.feeds.value(INCARNATION)?.and_then(|bytes| bytes.try_into().ok());
        self.incarnation = incarnation.map_or(self.incarnation, u64::from_be_bytes);
        self.judged.clear();
        self.unread.clear();
        self.standings.clear();
        self.recompute_authority(&BTreeSet::new())?;
        self.read_views_anew();
        Ok(())
    }

    fn read_views_anew(&mut self) {
        if let Err(error) = self.views.reopen() {
            self.views_behind = Some(error);
            return;
        }
        self.views_durable = self.views.applied().unwrap_or(0);
        self.catch_up_quietly();
    }
}
