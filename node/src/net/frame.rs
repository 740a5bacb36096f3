//! The bytes of a frame: its length, four bytes, big-endian, and so many bytes. The longest is its
//! stream's business; none is empty, because length 0 on control is the **goodbye**: whoever closes
//! a link says it last, so that a broken connection is never taken for an end.

use crate::sync::Stream;

/// Bytes before each frame.
pub(super) const HEAD_BYTES: usize = 4;
/// Reserved at once for a frame that was announced; more only as its bytes come.
const RESERVE_BYTES: usize = 16 * 1024;

/// What was announced is longer than the stream may carry, or an empty frame on bulk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Oversize;

/// What bytes became.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A frame.
    Frame(Vec<u8>),
    /// The other side says no more.
    Goodbye,
}

/// The head of a frame; `None` when it is empty or too long to be sent.
pub(super) fn head(stream: Stream, frame: &[u8]) -> Option<[u8; HEAD_BYTES]> {
    if frame.is_empty() || frame.len() > stream.frame_bytes_max() {
        return None;
    }
    Some(u32::try_from(frame.len()).ok()?.to_be_bytes())
}

/// Puts frames together from bytes as they come.
#[derive(Debug)]
pub(super) struct Joiner {
    stream: Stream,
    head: [u8; HEAD_BYTES],
    head_held: usize,
    wanted: Option<usize>,
    body: Vec<u8>,
}

impl Joiner {
    /// For one stream.
    pub(super) const fn new(stream: Stream) -> Self {
        Self { stream, head: [0; HEAD_BYTES], head_held: 0, wanted: None, body: Vec::new() }
    }

    /// How many bytes may be read now: never beyond the frame under way, so none are kept aside.
    pub(super) fn room(&self) -> usize {
        self.wanted.map_or(HEAD_BYTES - self.head_held, |wanted| wanted - self.body.len())
    }

    /// Whether the stream may end here.
    pub(super) const fn between(&self) -> bool {
        self.head_held == 0
    }

    /// Takes bytes, at most [`Self::room`] of them.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Option<Piece>, Oversize> {
        if self.wanted.is_none() {
            for byte in bytes.iter().take(self.room()) {
                if let Some(place) = self.head.get_mut(self.head_held) {
                    *place = *byte;
                    self.head_held += 1;
                }
            }
            return if self.head_held == HEAD_BYTES { self.announced() } else { Ok(None) };
        }
        self.body.extend(bytes.iter().take(self.room()));
        Ok((self.room() == 0).then(|| {
            (self.head_held, self.wanted) = (0, None);
            Piece::Frame(std::mem::take(&mut self.body))
        }))
    }

    fn announced(&mut self) -> Result<Option<Piece>, Oversize> {
        let length = usize::try_from(u32::from_be_bytes(self.head)).map_err(|_| Oversize)?;
        if length == 0 && self.stream == Stream::Control {
            self.head_held = 0;
            return Ok(Some(Piece::Goodbye));
        }
        if length == 0 || length > self.stream.frame_bytes_max() {
            return Err(Oversize);
        }
        self.body.reserve(length.min(RESERVE_BYTES));
        self.wanted = Some(length);
        Ok(None)
    }
}

/// For tests with foreign bytes: the frames in bytes that come in pieces of at most `step`, up to a
/// goodbye, and whether the stream may end there; `None` where the link would end.
#[doc(hidden)]
pub fn frames_of(stream: Stream, bytes: &[u8], step: usize) -> Option<(Vec<Vec<u8>>, bool)> {
    let (mut joiner, mut frames, mut rest) = (Joiner::new(stream), Vec::new(), bytes);
    while !rest.is_empty() {
        let (taken, behind) = rest.split_at(rest.len().min(joiner.room()).min(step.max(1)));
        rest = behind;
        match joiner.take(taken).ok()? {
            Some(Piece::Frame(frame)) => frames.push(frame),
            Some(Piece::Goodbye) => return Some((frames, true)),
            None => {}
        }
    }
    Some((frames, joiner.between()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;
    use proptest::prelude::*;

    /// All pieces of `bytes`, given in steps of `steps` bytes, again and again.
    fn join(stream: Stream, bytes: &[u8], steps: &[usize]) -> Result<(Vec<Piece>, bool), Oversize> {
        let (mut joiner, mut pieces, mut rest) = (Joiner::new(stream), Vec::new(), bytes);
        for step in steps.iter().cycle() {
            let (now, later) = rest.split_at((*step).min(joiner.room()).min(rest.len()));
            pieces.extend(joiner.take(now)?);
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        Ok((pieces, joiner.between()))
    }

    proptest! {
        #[test]
        fn frames_cut_anywhere_come_whole_and_in_order(
            frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..2000), 1..8),
            steps in prop::collection::vec(1..700_usize, 1..9),
        ) {
            let mut bytes = Vec::new();
            for frame in &frames {
                bytes.extend(head(Stream::Bulk, frame).unwrap());
                bytes.extend(frame);
            }
            let (pieces, between) = join(Stream::Bulk, &bytes, &steps).unwrap();
            prop_assert!(between);
            prop_assert_eq!(pieces, frames.into_iter().map(Piece::Frame).collect::<Vec<_>>());
        }

        #[test]
        fn reading_anything_never_panics_nor_reserves_beyond_the_bytes_that_came(
            bytes in prop::collection::vec(any::<u8>(), 0..4000),
            steps in prop::collection::vec(1..700_usize, 1..9),
        ) {
            for stream in [Stream::Control, Stream::Bulk] {
                if let Ok((pieces, _)) = join(stream, &bytes, &steps) {
                    let held: usize = pieces.iter().map(|piece| match piece {
                        Piece::Frame(frame) => frame.len(),
                        Piece::Goodbye => 0,
                    }).sum();
                    prop_assert!(held <= bytes.len());
                }
            }
        }
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_a_byte_is_reserved() {
        for (stream, length) in [
            (Stream::Control, Stream::Control.frame_bytes_max() + 1),
            (Stream::Bulk, Stream::Bulk.frame_bytes_max() + 1),
            (Stream::Bulk, usize::try_from(u32::MAX).unwrap()),
            (Stream::Bulk, 0),
        ] {
            let mut joiner = Joiner::new(stream);
            let head = u32::try_from(length).unwrap().to_be_bytes();
            assert_eq!(joiner.take(&head), Err(Oversize), "{stream:?} {length}");
            assert_eq!(joiner.body.capacity(), 0);
        }
    }

    #[test]
    fn a_long_frame_that_is_only_announced_costs_little() {
        let mut joiner = Joiner::new(Stream::Bulk);
        let longest = u32::try_from(Stream::Bulk.frame_bytes_max()).unwrap();
        assert_eq!(joiner.take(&longest.to_be_bytes()), Ok(None));
        assert!(joiner.body.capacity() <= 2 * RESERVE_BYTES, "{}", joiner.body.capacity());
    }

    #[test]
    fn an_empty_frame_is_not_sent_and_on_control_it_is_the_goodbye() {
        assert_eq!(head(Stream::Control, &[]), None);
        assert_eq!(Joiner::new(Stream::Control).take(&[0; 4]), Ok(Some(Piece::Goodbye)));
    }
}
