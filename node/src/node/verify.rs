//! Everything at rest is read and checked again, as if it had just come from a stranger.

use std::time::Duration;

use crdt_schema::time::Timestamp;

use super::Node;
use crate::answer::{Damage, Verify};
use crate::error::NodeError;
use crate::ports::StoreError;
use crate::progress::Progress;
use crate::replica::ViewsCheckError;
use crate::store::feed::ScanStep;

impl Node {
    /// Checks chains, signatures and certificates of every feed, and that the views are what the
    /// entries say; with `rebuild` the views are thrown away and made anew first.
    ///
    /// What is wrong is in the answer; it is no error.
    ///
    /// # Errors
    /// [`NodeError::Interrupted`] as `progress` asks; [`NodeError::Store`] when the disk fails.
    pub fn verify(
        &mut self,
        rebuild: bool,
        progress: &mut dyn Progress,
    ) -> Result<Verify, NodeError> {
        let started = self.env.clock.now();
        if rebuild {
            let done = self.replica.rebuild_views(progress);
            let done = done.map_err(|error| NodeError::store(&self.folder, error))?;
            if done.stopped {
                return Err(NodeError::Interrupted);
            }
        }
        let mut found = Verify {
            ok: false,
            feeds: 0,
            entries: 0,
            signatures: 0,
            certificates: self.certificates(),
            payloads_dropped: 0,
            forks: 0,
            views_equal: false,
            damage: Vec::new(),
            seconds: 0.0,
        };
        match self.replica.feed_store_mut().check_pages() {
            Ok(()) => self.scan(&mut found, progress)?,
            Err(StoreError::Damaged { what }) => {
                found.damage.push(Damage { feed: None, seq: None, what });
                found.seconds = self.seconds_since(started);
                return Ok(found);
            }
            Err(error) => return Err(self.store_error(error)),
        }
        found.views_equal = match self.replica.views_agree(progress) {
            Ok(agree) => agree,
            Err(ViewsCheckError::Stopped) => return Err(NodeError::Interrupted),
            Err(ViewsCheckError::Store(error)) => {
                let what = format!("the views cannot be read: {error}");
                found.damage.push(Damage { feed: None, seq: None, what });
                false
            }
        };
        found.ok = found.damage.is_empty() && found.views_equal;
        found.seconds = self.seconds_since(started);
        Ok(found)
    }

    /// Seconds by this node's clock; 0 when it was set back meanwhile.
    fn seconds_since(&self, started: Timestamp) -> f64 {
        let elapsed = self.env.clock.now().0.saturating_sub(started.0);
        Duration::from_millis(u64::try_from(elapsed).unwrap_or(0)).as_secs_f64()
    }

    fn certificates(&self) -> u64 {
        self.authority().members().map(|(_, member)| member.grants.len() as u64).sum()
    }

    /// Recomputes every chain, checks every signature that is kept, and every arrival.
    fn scan(&self, found: &mut Verify, progress: &mut dyn Progress) -> Result<(), NodeError> {
        let total = self.replica.entries_held();
        found.feeds = self.replica.feeds().count() as u64;
        found.forks = self.replica.feeds().filter(|feed| feed.branches.len() > 1).count() as u64;
        let mut go_on = true;
        let scanned = self.replica.feed_store().scan(&mut |step| match step {
            ScanStep::Entries { count, dropped, .. } => {
                found.entries += count;
                found.payloads_dropped += dropped;
                go_on &= progress.at(found.entries, total);
            }
            ScanStep::Signed { name, head, .. } => {
                found.signatures += 1;
                let key = self.authority().signing_key(&name.device);
                if key.is_none_or(|key| head.verify(&key).is_err()) {
                    let what = "the signature does not hold, or no certificate names the device";
                    let (feed, seq) = (Some(head.feed), Some(head.point.seq));
                    found.damage.push(Damage { feed, seq, what: what.to_owned() });
                }
            }
            ScanStep::Damaged(damage) => {
                let seq = Some(damage.first).filter(|seq| *seq > 0);
                found.damage.push(Damage { feed: damage.feed, seq, what: damage.what });
            }
        });
        scanned.map_err(|error| self.store_error(error))?;
        if go_on { Ok(()) } else { Err(NodeError::Interrupted) }
    }
}
