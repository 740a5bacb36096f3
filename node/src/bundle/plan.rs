//! Which run goes into which piece, before the first byte is written: each piece begins with a
//! list of what it holds, so that one that was cut can say what it lost.

use std::ops::RangeInclusive;

use crdt_schema::entry::PackedRun;
use crdt_schema::id::FeedName;

use super::file::{FRAME_OVERHEAD, START_BYTES, frame_bytes};
use super::format::{BundleHeader, Frame, PARTS_MAX, SPAN_BYTES, SPANS_PER_FRAME, Span};

/// Bytes of the longest count before a list of spans.
const COUNT_BYTES: u64 = 2;

/// What one piece holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PiecePlan {
    /// Of which feeds, in the order of the runs.
    pub(super) spans: Vec<Span>,
    /// How many runs.
    pub(super) runs: u64,
}

impl PiecePlan {
    /// All runs in one piece.
    pub const fn whole(spans: Vec<Span>) -> Self {
        Self { spans, runs: u64::MAX }
    }
}

/// A run to be dealt out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSize {
    feed: FeedName,
    places: RangeInclusive<u64>,
    bytes: u64,
}

impl RunSize {
    /// Measures a run that is sent for these places of its feed.
    pub fn of(feed: FeedName, places: RangeInclusive<u64>, run: PackedRun) -> Self {
        Self { feed, places, bytes: frame_bytes(&Frame::Run(u32::MAX, run)) }
    }

    /// Where it lies.
    pub fn span(&self) -> Span {
        Span { feed: self.feed.id(), from: *self.places.start(), to: *self.places.end() }
    }
}

/// Why runs do not fit into pieces of the size asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unplannable {
    /// The largest run alone needs more.
    #[error("a piece of this bundle has at least {least} bytes")]
    TooSmall {
        /// Bytes the largest run needs, with what explains it.
        least: u64,
    },
    /// More pieces than a bundle may have.
    #[error("the bundle would need more than {PARTS_MAX} pieces; choose a larger size")]
    TooMany,
}

/// Deals runs out to pieces of at most so many bytes.
#[derive(Debug)]
pub struct Planner {
    max_bytes: u64,
    /// Bytes of a piece with nothing in it.
    empty: u64,
    /// Bytes of the newest piece's feeds and runs.
    filled: u64,
    /// Bytes the largest run needs in a piece of its own.
    least: u64,
    pieces: Vec<PiecePlan>,
    feed: Option<FeedName>,
}

impl Planner {
    /// Begins with what stands in every piece.
    pub fn new(header: &BundleHeader, preamble: &[Frame], max_bytes: u64) -> Self {
        let fixed: u64 = preamble.iter().map(frame_bytes).sum();
        let ends = frame_bytes(&Frame::Header(header.clone())) + frame_bytes(&Frame::End(0));
        Self {
            max_bytes,
            empty: START_BYTES + ends + fixed,
            filled: 0,
            least: 0,
            pieces: Vec::new(),
            feed: None,
        }
    }

    /// Adds the next run.
    pub fn add(&mut self, run: &RunSize) {
        let (feed, places) = (&run.feed, &run.places);
        let (run, intro) = (run.bytes, frame_bytes(&Frame::Feed(*feed)));
        self.least = self.least.max(self.empty + spans_bytes(1) + intro + run);
        let is_new = self.feed != Some(*feed);
        let needed = run + if is_new { intro } else { 0 };
        let span = Span { feed: feed.id(), from: *places.start(), to: *places.end() };
        let fits = self.pieces.last().is_some_and(|piece| {
            let spans = spans_bytes(piece.spans.len() + 1);
            self.empty + spans + self.filled + needed <= self.max_bytes
        });
        if fits {
            self.filled += needed;
        } else {
            self.pieces.push(PiecePlan { spans: Vec::new(), runs: 0 });
            self.filled = intro + run;
        }
        self.feed = Some(*feed);
        let Some(piece) = self.pieces.last_mut() else { return };
        piece.runs += 1;
        match piece.spans.last_mut() {
            Some(last) if last.feed == span.feed && last.to + 1 == span.from => last.to = span.to,
            _ => piece.spans.push(span),
        }
    }

    /// The pieces, one at least.
    ///
    /// # Errors
    /// [`Unplannable`] when a run is larger than a piece may be, or there are too many.
    pub fn pieces(mut self) -> Result<Vec<PiecePlan>, Unplannable> {
        let least = self.least.max(self.empty);
        if least > self.max_bytes {
            return Err(Unplannable::TooSmall { least });
        }
        if self.pieces.len() > usize::from(PARTS_MAX) {
            return Err(Unplannable::TooMany);
        }
        if self.pieces.is_empty() {
            self.pieces.push(PiecePlan::whole(Vec::new()));
        }
        Ok(self.pieces)
    }
}

/// Bytes the frames that list so many spans take.
const fn spans_bytes(spans: usize) -> u64 {
    let frames = spans.div_ceil(SPANS_PER_FRAME) as u64;
    (spans * SPAN_BYTES) as u64 + frames * (FRAME_OVERHEAD as u64 + COUNT_BYTES)
}
