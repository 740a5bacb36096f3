//! Since: "of your store I hold everything up to arrival n". Only what came later follows.
//!
//! A shortcut past the descent, never a proof: a store keeps a running hash over its arrivals, a
//! peer that was equal once is told number and hash (a *mark*), and shows them the next time. If
//! they match, the later arrivals of the shared areas are sent; the roots are compared after it as
//! after any pass, and when they differ the next pass descends.

use crdt_schema::id::{FeedName, Space};

use super::message::{EndReason, Mark, Message, Pass, Since};
use super::request::{Local, Output, Request, Segment};
use super::session::{Asked, Session, Step};
use crate::ports::Arrival;

/// Arrivals sent this way: a busy day of the province. Who lacks more is better served by the
/// descent, which joins them by feed.
const ARRIVALS_MAX: usize = 40_000;

/// What this session knows and has done about marks.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// What we hold of the peer's store.
    pub(super) known: Option<Since>,
    tried: bool,
    answered: bool,
    /// Whether a pass was run, so that the peer's mark of us is out of date.
    pub(super) moved: bool,
}

impl Session {
    /// Begins with what an earlier session with this device learned ([`Output::Mark`]).
    #[must_use]
    pub const fn knowing(mut self, mark: Since) -> Self {
        self.marks.known = Some(mark);
        self
    }

    /// Tries the shortcut once; false when nothing is known of the peer's store.
    pub(super) fn try_since(&mut self) -> bool {
        if self.mark_that_fits().is_none() || std::mem::replace(&mut self.marks.tried, true) {
            return false;
        }
        let pass = Pass { space: Space::Records, full: false, since: true };
        self.send(&Message::Pass(pass));
        self.begin_pass(pass, true);
        self.say_since();
        true
    }

    fn mark_that_fits(&self) -> Option<Since> {
        self.marks.known.filter(|known| Some(known.instance) == self.peer_instance)
    }

    /// Shows what we hold of the peer's store, if we know.
    pub(super) fn say_since(&mut self) {
        if let Some(since) = self.mark_that_fits() {
            self.send(&Message::Since(since));
        }
    }

    pub(super) fn on_since(&mut self, local: &Local<'_>, since: Since) -> Step {
        let in_place = self.pass.as_ref().is_some_and(|pass| pass.kind.since);
        if !in_place || std::mem::replace(&mut self.marks.answered, true) {
            return Err(EndReason::OutOfOrder);
        }
        if since.instance != local.instance || since.number > local.arrivals || since.number == 0 {
            return Ok(());
        }
        let request = Request::Arrivals { after: since.number - 1, limit: 1 };
        self.ask(Asked::Since(since), request).map(|_| ())
    }

    /// Whether the peer's number means what it meant when it was told.
    pub(super) fn on_since_row(&mut self, since: Since, rows: &[Arrival]) -> Step {
        let same =
            |row: &Arrival| row.number == since.number && row.running_hash == since.running_hash;
        if !rows.first().is_some_and(same) {
            return Ok(());
        }
        let request = Request::Arrivals { after: since.number, limit: ARRIVALS_MAX + 1 };
        self.ask(Asked::News, request).map(|_| ())
    }

    pub(super) fn on_news(&mut self, local: &Local<'_>, rows: &[Arrival]) {
        if rows.len() > ARRIVALS_MAX {
            return;
        }
        for row in rows {
            let Some(held) = local.summary.feed(&row.feed) else { continue };
            // What counts nowhere is for who decides about it.
            let counts = held.heads.iter().map(|head| head.seq).max().unwrap_or(0);
            let decides = self.may_have_apart(local, &held.name);
            let to = if decides { row.last } else { row.last.min(counts) };
            if row.first <= to {
                let segment = Segment { branch: row.branch, from: row.first, to };
                self.queue_segment(local, held.name, segment);
            }
        }
    }

    fn queue_segment(&mut self, local: &Local<'_>, name: FeedName, segment: Segment) {
        if self.serves(local, name.space, name.area)
            && let Some(held) = local.summary.feed(&name.id())
        {
            self.queue_stretch(local, name, held.heads.clone(), segment);
        }
    }

    /// After equality: tells the peer what it holds of this store.
    pub(super) fn mark(&mut self, local: &Local<'_>) -> Step {
        if !std::mem::take(&mut self.marks.moved) || local.arrivals == 0 {
            return Ok(());
        }
        let request = Request::Arrivals { after: local.arrivals - 1, limit: 1 };
        self.ask(Asked::Mark, request).map(|_| ())
    }

    pub(super) fn on_mark_row(&mut self, rows: &[Arrival]) {
        if let Some(row) = rows.first() {
            let mark = Mark { number: row.number, running_hash: row.running_hash };
            self.send(&Message::Mark(mark));
        }
    }

    pub(super) fn on_mark(&mut self, mark: Mark) -> Step {
        let Some(instance) = self.peer_instance else { return Err(EndReason::OutOfOrder) };
        let Mark { number, running_hash } = mark;
        self.put(Output::Mark(Since { instance, number, running_hash }));
        Ok(())
    }
}
