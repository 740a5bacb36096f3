//! Messages as bytes: one canonical form each, every count bounded before memory is reserved.
//!
//! | bytes | field   | form                                                              |
//! |-------|---------|-------------------------------------------------------------------|
//! | 0     | kind    | which message; 1..=63 on control, 64.. on bulk                    |
//! | 1..   | length  | varint: bytes of the payload                                      |
//! | ..    | payload | by kind                                                           |
//!
//! | kind | message         | payload                                                         |
//! |------|-----------------|-----------------------------------------------------------------|
//! | 1    | open            | version, certificate (flag, 32), instance (16), (area, proof 16)* |
//! | 2    | reply           | as open, each area with flag and 16 bytes of its authority root |
//! | 3, 4 | ask, presented  | nothing; bulk frames sent                                       |
//! | 5    | pass            | bits: records, full, since                                      |
//! | 6    | nodes           | (area and bits: full, below; own; (child and bit, hash)*)*      |
//! | 7    | prints          | (area, (4 of the feed id, 4 of the print)*)*                    |
//! | 8    | heads           | (area and extent, (heads and width, id start, point*)*)*        |
//! | 9    | need            | (feed, point*)*                                                 |
//! | 10, 11 | probe, common | feed, point*; feed, how many                                    |
//! | 12   | turn            | sent, durable, flag, (authority root 32, records root 32)*      |
//! | 13, 14 | durable, stay | frames; nothing                                                 |
//! | 15   | push            | feed, first, signature (64), block to the end                   |
//! | 16   | offer           | (feed, point*)*                                                 |
//! | 17, 18 | receipts, device | rows as `receipt.rs` writes them                             |
//! | 19   | end             | reason                                                          |
//! | 20, 21 | since, mark   | instance, number, hash (32); number, hash                       |
//! | 64   | runs            | (feed, run)*                                                    |
//!
//! `*` is a varint count and so many; a point is a varint `seq << 2 \| width` and 4, 8 or 32 bytes;
//! a feed is 0 and its name (52), 1 for the same again, or 2 and more for the step to a number:
//! `zigzag(step) << 1 \| receiver's`.
//!
//! Inside one message areas and feed numbers travel as the step from the one before, because lists
//! of neighbours are what a comparison is made of. Varints are in their shortest form; whatever is
//! left over at the end is an error; so no two byte strings are one message.

use crdt_schema::area::AreaId;
use crdt_schema::codec::{DecodeError, Reader, Writer};
use crdt_schema::entry::PackedRun;
use crdt_schema::id::{EntryId, FeedName, Space, StoreInstance};

use super::message::{
    AREAS_PER_MESSAGE_MAX, AREAS_SHARED_MAX, AreaHeads, AreaPrints, CHILDREN_MAX, Common, CutPoint,
    Digest, EndReason, Extent, FEEDS_PER_MESSAGE_MAX, FeedPoints, FeedRef, FeedRun,
    HEADS_PER_FEED_MAX, IdStart, Mark, Message, Need, NodePrint, Offer, Open, PROBE_POINTS_MAX,
    Pass, Probe, Proof, ROWS_PER_MESSAGE_MAX, RUNS_PER_FRAME_MAX, Reply, SEQ_MAX, SharedArea,
    Since, Stream, Turn,
};
use super::receipt::{DeviceRow, ReceiptRow};
use super::summary::{CutRoot, Root};

/// Bytes before the payload at most: kind, and the length of the longest bulk frame.
pub const FRAME_HEAD_BYTES_MAX: usize = 1 + 4;
/// Eleven digits: what an area id is as a number.
const AREA_NUMBER_END: u64 = 100_000_000_000;
const KIND_RUNS: u8 = 64;

/// The stream a message travels on.
pub const fn stream_of(message: &Message) -> Stream {
    if matches!(message, Message::Runs(_)) { Stream::Bulk } else { Stream::Control }
}

/// The whole frame of a message.
pub fn encode(message: &Message) -> Vec<u8> {
    let mut writer = Writer::new();
    let kind = Encoder { writer: &mut writer, area: 0, numbers: [0; 2] }.message(message);
    let payload = writer.finish();
    writer.u8(kind).bytes(&payload);
    writer.finish()
}

/// How long the frame is that begins so: `None` when more bytes are needed to tell.
///
/// # Errors
/// [`DecodeError`] when no frame of this stream begins so; nothing was reserved for it.
pub fn frame_length(stream: Stream, start: &[u8]) -> Result<Option<usize>, DecodeError> {
    let mut reader =
        Reader::new(start.get(..start.len().min(FRAME_HEAD_BYTES_MAX)).unwrap_or(start));
    let Ok(kind) = reader.u8() else { return Ok(None) };
    if (kind >= KIND_RUNS) != (stream == Stream::Bulk) {
        return Err(DecodeError::Unknown("frame on this stream"));
    }
    match reader.varint() {
        Ok(length) => {
            let head = start.len().min(FRAME_HEAD_BYTES_MAX) - reader.remaining();
            let length = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(head);
            let fits = length <= stream.frame_bytes_max();
            if fits { Ok(Some(length)) } else { Err(DecodeError::TooLarge("frame")) }
        }
        Err(DecodeError::Truncated) if start.len() < FRAME_HEAD_BYTES_MAX => Ok(None),
        Err(DecodeError::Truncated) => Err(DecodeError::TooLarge("frame")),
        Err(error) => Err(error),
    }
}

/// Reads exactly one frame.
///
/// # Errors
/// [`DecodeError`] when the bytes are not one canonical frame of this stream within its limits.
pub fn decode(stream: Stream, frame: &[u8]) -> Result<Message, DecodeError> {
    match frame_length(stream, frame)? {
        Some(length) if length > frame.len() => return Err(DecodeError::Truncated),
        Some(length) if length < frame.len() => return Err(DecodeError::TrailingBytes),
        Some(_) => {}
        None => return Err(DecodeError::Truncated),
    }
    let mut reader = Reader::new(frame);
    let kind = reader.u8()?;
    let payload = reader.bytes(stream.frame_bytes_max(), "frame")?;
    let mut decoder = Decoder { reader: Reader::new(payload), area: 0, numbers: [0; 2] };
    let message = decoder.message(kind)?;
    decoder.reader.end()?;
    Ok(message)
}

/// An area as a varint of its eleven digits.
pub(super) fn write_area(writer: &mut Writer, area: AreaId) {
    writer.varint(area_number(area));
}

/// Reads what [`write_area`] wrote.
pub(super) fn read_area(reader: &mut Reader<'_>) -> Result<AreaId, DecodeError> {
    area_of_number(reader.varint()?)
}

fn area_number(area: AreaId) -> u64 {
    area.as_bytes().iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
}

fn area_of_number(mut number: u64) -> Result<AreaId, DecodeError> {
    if number >= AREA_NUMBER_END {
        return Err(DecodeError::Malformed("area id"));
    }
    let mut digits = [b'0'; AreaId::SIZE_BYTES];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
    AreaId::read(&mut Reader::new(&digits))
}

const fn zigzag(step: i64) -> u64 {
    ((step << 1) ^ (step >> 63)).cast_unsigned()
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

struct Encoder<'a> {
    writer: &'a mut Writer,
    area: i64,
    numbers: [i64; 2],
}

impl Encoder<'_> {
    fn message(&mut self, message: &Message) -> u8 {
        match message {
            Message::Open(open) => self.open(open),
            Message::Reply(reply) => self.reply(reply),
            Message::AskCertificate => 3,
            Message::Presented(sent) => self.number(*sent, 4),
            Message::Pass(pass) => {
                let bits = u8::from(pass.full) << 1 | u8::from(pass.since) << 2;
                self.writer.u8(pass.space as u8 | bits);
                5
            }
            Message::Nodes(nodes) => self.list(nodes, Self::node, 6),
            Message::Prints(areas) => self.list(areas, Self::prints, 7),
            Message::Heads(areas) => self.list(areas, Self::heads, 8),
            Message::Need(needs) => self.list(needs, Self::need, 9),
            Message::Probe(probe) => {
                self.feed(&probe.feed);
                self.points(&probe.points);
                10
            }
            Message::Common(common) => {
                self.feed(&common.feed);
                self.writer.u8(common.held);
                11
            }
            Message::Turn(turn) => self.turn(turn),
            Message::Durable(frames) => self.number(*frames, 13),
            Message::Stay => 14,
            Message::Push(push) => {
                self.feed(&push.feed);
                self.writer.varint(push.run.first).raw(&push.run.signature).raw(&push.run.bytes);
                15
            }
            Message::Offer(offers) => self.list(offers, Self::offer, 16),
            Message::Receipts(rows) => self.list(rows, |this, row| row.write(this.writer), 17),
            Message::Device(row) => {
                row.write(self.writer);
                18
            }
            Message::End(reason) => {
                self.writer.u8(*reason as u8);
                19
            }
            Message::Since(since) => {
                self.writer.raw(&since.instance.0).varint(since.number).raw(&since.running_hash);
                20
            }
            Message::Mark(mark) => {
                self.writer.varint(mark.number).raw(&mark.running_hash);
                21
            }
            Message::Runs(runs) => self.list(runs, Self::run, KIND_RUNS),
        }
    }

    fn number(&mut self, number: u64, kind: u8) -> u8 {
        self.writer.varint(number);
        kind
    }

    fn list<T>(&mut self, items: &[T], write: impl Fn(&mut Self, &T), kind: u8) -> u8 {
        self.writer.varint(items.len() as u64);
        for item in items {
            write(self, item);
        }
        kind
    }

    fn certificate(&mut self, certificate: Option<EntryId>) {
        match certificate {
            Some(id) => self.writer.u8(1).raw(&id.0),
            None => self.writer.u8(0),
        };
    }

    fn open(&mut self, open: &Open) -> u8 {
        self.writer.u8(open.version);
        self.certificate(open.certificate);
        self.writer.raw(&open.instance.0).varint(open.areas.len() as u64);
        for (area, proof) in &open.areas {
            write_area(self.writer, *area);
            self.writer.raw(&proof.0);
        }
        1
    }

    fn reply(&mut self, reply: &Reply) -> u8 {
        self.writer.u8(reply.version);
        self.certificate(reply.certificate);
        self.writer.raw(&reply.instance.0).varint(reply.shared.len() as u64);
        for shared in &reply.shared {
            write_area(self.writer, shared.area);
            self.writer.raw(&shared.proof.0);
            match shared.authority {
                Some(root) => self.writer.u8(1).raw(&root.0),
                None => self.writer.u8(0),
            };
        }
        2
    }

    /// The step from the area before, and two bits beside it.
    fn area(&mut self, area: AreaId, bits: u64) {
        let number = area_number(area).cast_signed();
        self.writer.varint(zigzag(number - self.area) << 2 | bits);
        self.area = number;
    }

    fn digest(&mut self, digest: &Digest) {
        match digest {
            Digest::Cut(bytes) => self.writer.raw(bytes),
            Digest::Full(bytes) => self.writer.raw(bytes),
        };
    }

    fn node(&mut self, node: &NodePrint) {
        let bits = full_bit(&node.own) | u64::from(node.below.is_some()) << 1;
        self.area(node.area, bits);
        self.digest(&node.own);
        let Some(below) = &node.below else { return };
        self.writer.varint(below.len() as u64);
        for (child, digest) in below {
            self.area(*child, full_bit(digest));
            self.digest(digest);
        }
    }

    fn prints(&mut self, prints: &AreaPrints) {
        self.area(prints.area, 0);
        self.writer.varint(prints.feeds.len() as u64);
        for (feed, print) in &prints.feeds {
            self.writer.raw(feed).raw(print);
        }
    }

    fn heads(&mut self, heads: &AreaHeads) {
        let extent = match heads.extent {
            Extent::Some => 0,
            Extent::Own => 1,
            Extent::Below => 2,
            Extent::More => 3,
        };
        self.area(heads.area, extent);
        self.writer.varint(heads.feeds.len() as u64);
        for feed in &heads.feeds {
            self.writer.varint((feed.heads.len() as u64) << 2 | width(&feed.feed));
            self.writer.raw(feed.feed.as_bytes());
            for head in &feed.heads {
                self.point(head);
            }
        }
    }

    fn point(&mut self, point: &CutPoint) {
        self.writer.varint(point.seq.min(SEQ_MAX) << 2 | width(&point.id)).raw(point.id.as_bytes());
    }

    fn points(&mut self, points: &[CutPoint]) {
        self.writer.varint(points.len() as u64);
        for point in points {
            self.point(point);
        }
    }

    fn feed(&mut self, feed: &FeedRef) {
        let (side, number) = match feed {
            FeedRef::Name(name) => {
                self.writer.varint(0);
                return name.write(self.writer);
            }
            FeedRef::Same => {
                self.writer.varint(1);
                return;
            }
            FeedRef::Mine(number) => (0, i64::from(*number)),
            FeedRef::Yours(number) => (1, i64::from(*number)),
        };
        let last = self.numbers.get_mut(side);
        let step = number - last.as_deref().copied().unwrap_or(0);
        self.writer.varint(2 + (zigzag(step) << 1 | side as u64));
        if let Some(last) = last {
            *last = number;
        }
    }

    fn need(&mut self, need: &Need) {
        self.feed(&need.feed);
        self.points(&need.heads);
    }

    fn offer(&mut self, offer: &Offer) {
        self.feed(&offer.feed);
        self.points(&offer.heads);
    }

    fn run(&mut self, run: &FeedRun) {
        self.feed(&run.feed);
        run.run.write(self.writer);
    }

    fn turn(&mut self, turn: &Turn) -> u8 {
        self.writer.varint(turn.sent).varint(turn.durable);
        match &turn.quiet {
            None => {
                self.writer.u8(0);
            }
            Some(roots) => {
                self.writer.u8(1).varint(roots.len() as u64);
                for (authority, records) in roots {
                    self.writer.raw(&authority.0).raw(&records.0);
                }
            }
        }
        12
    }
}

const fn full_bit(digest: &Digest) -> u64 {
    match digest {
        Digest::Cut(_) => 0,
        Digest::Full(_) => 1,
    }
}

const fn width(id: &IdStart) -> u64 {
    match id {
        IdStart::Short(_) => 0,
        IdStart::Cut(_) => 1,
        IdStart::Full(_) => 2,
    }
}

struct Decoder<'a> {
    reader: Reader<'a>,
    area: i64,
    numbers: [i64; 2],
}

type Decoded<T> = Result<T, DecodeError>;

impl Decoder<'_> {
    fn message(&mut self, kind: u8) -> Decoded<Message> {
        Ok(match kind {
            1 => Message::Open(self.open()?),
            2 => Message::Reply(self.reply()?),
            3 => Message::AskCertificate,
            4 => Message::Presented(self.reader.varint()?),
            5 => Message::Pass(self.pass()?),
            6 => Message::Nodes(self.list(AREAS_PER_MESSAGE_MAX, "areas", Self::node)?),
            7 => Message::Prints(self.list(AREAS_PER_MESSAGE_MAX, "areas", Self::prints)?),
            8 => Message::Heads(self.list(AREAS_PER_MESSAGE_MAX, "areas", Self::heads)?),
            9 => Message::Need(self.list(FEEDS_PER_MESSAGE_MAX, "feeds", Self::need)?),
            10 => Message::Probe(Probe {
                feed: self.feed()?,
                points: self.list(PROBE_POINTS_MAX, "points of a probe", Self::point)?,
            }),
            11 => Message::Common(Common { feed: self.feed()?, held: self.reader.u8()? }),
            12 => Message::Turn(self.turn()?),
            13 => Message::Durable(self.reader.varint()?),
            14 => Message::Stay,
            15 => Message::Push(self.push()?),
            16 => Message::Offer(self.list(FEEDS_PER_MESSAGE_MAX, "feeds", Self::offer)?),
            17 => {
                Message::Receipts(self.list(ROWS_PER_MESSAGE_MAX, "rows", |this| {
                    ReceiptRow::read(&mut this.reader)
                })?)
            }
            18 => Message::Device(DeviceRow::read(&mut self.reader)?),
            19 => Message::End(self.end()?),
            20 => Message::Since(Since {
                instance: StoreInstance::read(&mut self.reader)?,
                number: self.reader.varint()?,
                running_hash: self.reader.array()?,
            }),
            21 => Message::Mark(Mark {
                number: self.reader.varint()?,
                running_hash: self.reader.array()?,
            }),
            KIND_RUNS => Message::Runs(self.list(RUNS_PER_FRAME_MAX, "runs", Self::run)?),
            _ => return Err(DecodeError::Unknown("message")),
        })
    }

    fn list<T>(
        &mut self,
        max: usize,
        what: &'static str,
        read: impl Fn(&mut Self) -> Decoded<T>,
    ) -> Decoded<Vec<T>> {
        let count = self.reader.count(max, what)?;
        (0..count).map(|_| read(self)).collect()
    }

    fn flag(&mut self, what: &'static str) -> Decoded<bool> {
        match self.reader.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError::Unknown(what)),
        }
    }

    fn certificate(&mut self) -> Decoded<Option<EntryId>> {
        let given = self.flag("certificate form")?;
        given.then(|| EntryId::read(&mut self.reader)).transpose()
    }

    fn open(&mut self) -> Decoded<Open> {
        Ok(Open {
            version: self.reader.u8()?,
            certificate: self.certificate()?,
            instance: StoreInstance::read(&mut self.reader)?,
            areas: self.list(AREAS_SHARED_MAX, "areas", |this| {
                Ok((read_area(&mut this.reader)?, Proof(this.reader.array()?)))
            })?,
        })
    }

    fn reply(&mut self) -> Decoded<Reply> {
        Ok(Reply {
            version: self.reader.u8()?,
            certificate: self.certificate()?,
            instance: StoreInstance::read(&mut self.reader)?,
            shared: self.list(AREAS_SHARED_MAX, "areas", Self::shared)?,
        })
    }

    fn shared(&mut self) -> Decoded<SharedArea> {
        let area = read_area(&mut self.reader)?;
        let proof = Proof(self.reader.array()?);
        let unequal = self.flag("shared area form")?;
        let authority = unequal.then(|| self.reader.array().map(CutRoot)).transpose()?;
        Ok(SharedArea { area, proof, authority })
    }

    fn pass(&mut self) -> Decoded<Pass> {
        let bits = self.reader.u8()?;
        if bits > 7 {
            return Err(DecodeError::Unknown("pass"));
        }
        let (full, since) = (bits & 2 != 0, bits & 4 != 0);
        Ok(Pass { space: Space::from_code(bits & 1)?, full, since })
    }

    fn area(&mut self) -> Decoded<(AreaId, u64)> {
        let value = self.reader.varint()?;
        let number = self.area.checked_add(unzigzag(value >> 2));
        let number = number.and_then(|number| u64::try_from(number).ok());
        let number = number.ok_or(DecodeError::Malformed("area id"))?;
        let area = area_of_number(number)?;
        self.area = number.cast_signed();
        Ok((area, value & 3))
    }

    fn digest(&mut self, full: bool) -> Decoded<Digest> {
        if full {
            self.reader.array().map(Digest::Full)
        } else {
            self.reader.array().map(Digest::Cut)
        }
    }

    fn node(&mut self) -> Decoded<NodePrint> {
        let (area, bits) = self.area()?;
        let own = self.digest(bits & 1 != 0)?;
        let read = |this: &mut Self| {
            let (child, bits) = this.area()?;
            if bits > 1 {
                return Err(DecodeError::Unknown("area form"));
            }
            Ok((child, this.digest(bits == 1)?))
        };
        let below = (bits & 2 != 0).then(|| self.list(CHILDREN_MAX, "children", read));
        Ok(NodePrint { area, own, below: below.transpose()? })
    }

    fn prints(&mut self) -> Decoded<AreaPrints> {
        let (area, bits) = self.area()?;
        if bits != 0 {
            return Err(DecodeError::Unknown("area form"));
        }
        let read = |this: &mut Self| Ok((this.reader.array()?, this.reader.array()?));
        Ok(AreaPrints { area, feeds: self.list(FEEDS_PER_MESSAGE_MAX, "feeds", read)? })
    }

    fn heads(&mut self) -> Decoded<AreaHeads> {
        let (area, extent) = self.area()?;
        let extent = match extent {
            0 => Extent::Some,
            1 => Extent::Own,
            2 => Extent::Below,
            _ => Extent::More,
        };
        let feeds = self.list(FEEDS_PER_MESSAGE_MAX, "feeds", Self::feed_points)?;
        Ok(AreaHeads { area, extent, feeds })
    }

    fn feed_points(&mut self) -> Decoded<FeedPoints> {
        let form = self.reader.varint()?;
        let feed = self.id_start(form & 3)?;
        let count = usize::try_from(form >> 2).unwrap_or(usize::MAX);
        if count > HEADS_PER_FEED_MAX {
            return Err(DecodeError::TooLarge("heads of a feed"));
        }
        let heads = (0..count).map(|_| self.point()).collect::<Decoded<_>>()?;
        Ok(FeedPoints { feed, heads })
    }

    fn id_start(&mut self, width: u64) -> Decoded<IdStart> {
        match width {
            0 => self.reader.array().map(IdStart::Short),
            1 => self.reader.array().map(IdStart::Cut),
            2 => self.reader.array().map(IdStart::Full),
            _ => Err(DecodeError::Unknown("id form")),
        }
    }

    fn point(&mut self) -> Decoded<CutPoint> {
        let value = self.reader.varint()?;
        if value >> 2 == 0 {
            return Err(DecodeError::Malformed("sequence"));
        }
        Ok(CutPoint { seq: value >> 2, id: self.id_start(value & 3)? })
    }

    fn heads_list(&mut self) -> Decoded<Vec<CutPoint>> {
        self.list(HEADS_PER_FEED_MAX, "heads of a feed", Self::point)
    }

    fn feed(&mut self) -> Decoded<FeedRef> {
        let code = self.reader.varint()?;
        let Some(value) = code.checked_sub(2) else {
            return match code {
                0 => FeedName::read(&mut self.reader).map(FeedRef::Name),
                _ => Ok(FeedRef::Same),
            };
        };
        let side = usize::from(value & 1 != 0);
        let last = self.numbers.get_mut(side).ok_or(DecodeError::Malformed("feed number"))?;
        let number = last.checked_add(unzigzag(value >> 1));
        let number = number.and_then(|number| u32::try_from(number).ok());
        let number = number.ok_or(DecodeError::Malformed("feed number"))?;
        *last = i64::from(number);
        Ok(if side == 0 { FeedRef::Mine(number) } else { FeedRef::Yours(number) })
    }

    fn need(&mut self) -> Decoded<Need> {
        Ok(Need { feed: self.feed()?, heads: self.heads_list()? })
    }

    fn offer(&mut self) -> Decoded<Offer> {
        Ok(Offer { feed: self.feed()?, heads: self.heads_list()? })
    }

    fn run(&mut self) -> Decoded<FeedRun> {
        Ok(FeedRun { feed: self.feed()?, run: PackedRun::read(&mut self.reader)? })
    }

    fn push(&mut self) -> Decoded<FeedRun> {
        let feed = self.feed()?;
        let (first, signature) = (self.reader.varint()?, self.reader.array()?);
        let bytes = self.reader.rest().to_vec();
        Ok(FeedRun { feed, run: PackedRun { first, bytes, signature } })
    }

    fn turn(&mut self) -> Decoded<Turn> {
        let (sent, durable) = (self.reader.varint()?, self.reader.varint()?);
        let read = |this: &mut Self| Ok((Root(this.reader.array()?), Root(this.reader.array()?)));
        let quiet = self.flag("turn form")?;
        let quiet = quiet.then(|| self.list(AREAS_SHARED_MAX, "areas", read)).transpose()?;
        Ok(Turn { sent, durable, quiet })
    }

    fn end(&mut self) -> Decoded<EndReason> {
        let code = usize::from(self.reader.u8()?);
        EndReason::ALL.get(code).copied().ok_or(DecodeError::Unknown("reason"))
    }
}
