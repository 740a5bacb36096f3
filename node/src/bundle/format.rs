//! The bytes of a bundle: a magic, then frames that each carry their own hash.
//!
//! | bytes | field   | form                                                         |
//! |-------|---------|--------------------------------------------------------------|
//! | 0..8  | magic   | `WKSBMbdl`                                                   |
//! | 8     | version | 1                                                            |
//! | ..    | frames  | type (1), length (4, big-endian), payload, hash (16)         |
//!
//! The first frame is the header, then what the file was written with, the last the end; a file
//! without its end was cut, and its beginning names what it lost. A frame's hash finds damage early and names it; what is inside is trusted only after its signatures hold.

use crdt_schema::area::AreaId;
use crdt_schema::codec::{DecodeError, Reader, Writer};
use crdt_schema::entry::{ChainPoint, PackedRun, RUN_BYTES_MAX};
use crdt_schema::id::{DeviceId, EntryId, FeedId, FeedName, NetworkId};
use crdt_schema::time::Timestamp;

/// What every bundle begins with.
pub(crate) const MAGIC: &[u8; 8] = b"WKSBMbdl";
/// Version of the layout this build writes.
pub const FORMAT_VERSION: u8 = 1;
/// Bytes of one frame's payload: a run and its frame, with room to spare.
pub(super) const FRAME_BYTES_MAX: usize = RUN_BYTES_MAX + 4096;
/// Heads one frame lists; more go into the next frame.
pub const HEADS_PER_FRAME: usize = 4096;
/// Spans one frame lists; more go into the next frame.
pub(super) const SPANS_PER_FRAME: usize = 4096;
/// Feeds of one file that are remembered: some forty thousand are a province's, written by two devices a
/// village and every office above.
pub(super) const FEEDS_PER_FILE_MAX: usize = 262_144;
/// Bytes of one span: a feed and two places.
pub(super) const SPAN_BYTES: usize = 32 + 8 + 8;
/// Pieces one bundle may be cut into.
pub(crate) const PARTS_MAX: u16 = 9999;

/// Whom a bundle is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Anyone who may carry what is inside.
    All,
    /// Whoever holds this area.
    Area(AreaId),
    /// One device, counted from its last known heads.
    Device(DeviceId),
}

/// The first frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleHeader {
    /// The network everything inside belongs to.
    pub network: NetworkId,
    /// Who made it.
    pub from: DeviceId,
    /// Whom it is for.
    pub target: Target,
    /// The maker's clock.
    pub made_at: Timestamp,
    /// The same in all pieces of one bundle; random.
    pub bundle: [u8; 16],
    /// This piece, from 1.
    pub part: u16,
    /// Pieces in all.
    pub parts: u16,
}

/// Consecutive places of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The feed.
    pub feed: FeedId,
    /// The first.
    pub from: u64,
    /// The last.
    pub to: u64,
}

/// One thing inside a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// The first.
    Header(BundleHeader),
    /// The network's root statement, so that the bundle explains itself.
    Statement(Vec<u8>),
    /// A feed that later runs belong to; its number is its place among these frames, from 0.
    Feed(FeedName),
    /// Consecutive entries of the feed with this number.
    Run(u32, PackedRun),
    /// What the maker itself holds: what need not be sent back.
    Heads(Vec<(FeedId, ChainPoint)>),
    /// A hub's receipt, as stored.
    Receipt(Vec<u8>),
    /// What this file was written with, in the order of its runs: a file that was cut can say what
    /// it lost.
    Contents(Vec<Span>),
    /// The last: how many frames came before.
    End(u32),
}

/// The feeds a file has introduced so far: which one a run belongs to.
#[derive(Debug, Clone, Default)]
pub struct FeedsSeen(Vec<FeedName>);

impl FeedsSeen {
    /// The next [`Frame::Feed`]. One beyond the limit is not remembered: the signatures of its runs fail.
    pub fn push(&mut self, feed: FeedName) {
        if self.0.len() < FEEDS_PER_FILE_MAX {
            self.0.push(feed);
        }
    }

    /// The feed with this number. A number beyond those seen belongs to the newest: an altered
    /// frame before it was a feed's, and every run follows its feed. Whether it does is for the
    /// signatures to say.
    pub fn of(&self, number: u32) -> Option<FeedName> {
        let place = usize::try_from(number).ok()?;
        self.0.get(place).or(self.0.last()).copied()
    }
}

impl Frame {
    /// Type byte of the end.
    pub(super) const END: u8 = 255;
    /// Bytes of the end's payload.
    pub(super) const END_BYTES: usize = 4;

    /// Type byte and payload.
    pub fn encode(&self) -> (u8, Vec<u8>) {
        let mut writer = Writer::new();
        let kind = match self {
            Self::Header(header) => {
                write_header(&mut writer, header);
                1
            }
            Self::Statement(bytes) => {
                writer.raw(bytes);
                2
            }
            Self::Feed(name) => {
                name.write(&mut writer);
                3
            }
            Self::Run(feed, run) => {
                writer.varint(u64::from(*feed));
                run.write(&mut writer);
                4
            }
            Self::Heads(heads) => {
                write_heads(&mut writer, heads);
                5
            }
            Self::Receipt(bytes) => {
                writer.raw(bytes);
                6
            }
            Self::Contents(spans) => {
                write_spans(&mut writer, spans);
                7
            }
            Self::End(frames) => {
                writer.u32(*frames);
                Self::END
            }
        };
        (kind, writer.finish())
    }

    /// Whether this build writes frames of this type.
    pub(super) const fn is_kind(kind: u8) -> bool {
        matches!(kind, 1..=7 | Self::END)
    }

    /// Reads a payload whose hash was right. `Ok(None)` is a type of a newer format, to be skipped.
    ///
    /// # Errors
    /// [`DecodeError`] when the payload is not what its type says.
    pub fn decode(kind: u8, payload: &[u8]) -> Result<Option<Self>, DecodeError> {
        let mut reader = Reader::new(payload);
        let frame = match kind {
            1 => Self::Header(read_header(&mut reader)?),
            2 => Self::Statement(reader.rest().to_vec()),
            3 => Self::Feed(FeedName::read(&mut reader)?),
            4 => {
                let feed = u32::try_from(reader.varint()?);
                let feed = feed.map_err(|_| DecodeError::TooLarge("feed number"))?;
                Self::Run(feed, PackedRun::read(&mut reader)?)
            }
            5 => Self::Heads(read_heads(&mut reader)?),
            6 => Self::Receipt(reader.rest().to_vec()),
            7 => Self::Contents(read_spans(&mut reader)?),
            Self::END => Self::End(reader.u32()?),
            _ => return Ok(None),
        };
        reader.end()?;
        Ok(Some(frame))
    }
}

/// The hash that closes a frame.
pub(super) fn frame_hash(kind: u8, payload: &[u8]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[kind]).update(payload);
    let mut hash = [0; 16];
    hasher.finalize_xof().fill(&mut hash);
    hash
}

fn write_header(writer: &mut Writer, header: &BundleHeader) {
    writer.raw(&header.network.0).raw(&header.from.0).raw(&header.made_at.0.to_be_bytes());
    writer.raw(&header.bundle).u16(header.part).u16(header.parts);
    match header.target {
        Target::All => writer.u8(0),
        Target::Area(area) => writer.u8(1).raw(area.as_bytes()),
        Target::Device(device) => writer.u8(2).raw(&device.0),
    };
}

fn read_header(reader: &mut Reader<'_>) -> Result<BundleHeader, DecodeError> {
    let network = NetworkId::read(reader)?;
    let from = DeviceId::read(reader)?;
    let made_at = Timestamp(i64::from_be_bytes(reader.array()?));
    let bundle = reader.array()?;
    let (part, parts) = (reader.u16()?, reader.u16()?);
    if part == 0 || part > parts || parts > PARTS_MAX {
        return Err(DecodeError::NotCanonical("part"));
    }
    let target = match reader.u8()? {
        0 => Target::All,
        1 => Target::Area(AreaId::read(reader)?),
        2 => Target::Device(DeviceId::read(reader)?),
        _ => return Err(DecodeError::Unknown("target")),
    };
    Ok(BundleHeader { network, from, target, made_at, bundle, part, parts })
}

fn write_heads(writer: &mut Writer, heads: &[(FeedId, ChainPoint)]) {
    writer.varint(heads.len() as u64);
    for (feed, point) in heads {
        writer.raw(&feed.0).varint(point.seq).raw(&point.id.0);
    }
}

fn read_heads(reader: &mut Reader<'_>) -> Result<Vec<(FeedId, ChainPoint)>, DecodeError> {
    let count = reader.count(HEADS_PER_FRAME, "heads")?;
    let read = |_| {
        let feed = FeedId::read(reader)?;
        let point = ChainPoint { seq: reader.varint()?, id: EntryId::read(reader)? };
        Ok((feed, point))
    };
    (0..count).map(read).collect()
}

fn write_spans(writer: &mut Writer, spans: &[Span]) {
    writer.varint(spans.len() as u64);
    for span in spans {
        writer.raw(&span.feed.0).u64(span.from).u64(span.to);
    }
}

fn read_spans(reader: &mut Reader<'_>) -> Result<Vec<Span>, DecodeError> {
    let count = reader.count(SPANS_PER_FRAME, "spans")?;
    let read = |_| {
        let span = Span { feed: FeedId::read(reader)?, from: reader.u64()?, to: reader.u64()? };
        if span.from == 0 || span.from > span.to || span.to == u64::MAX {
            return Err(DecodeError::NotCanonical("span"));
        }
        Ok(span)
    };
    (0..count).map(read).collect()
}
