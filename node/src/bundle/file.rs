//! Bundles on a disk: written whole or not at all, read piece by piece with every byte checked.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::format::{
    BundleHeader, FORMAT_VERSION, FRAME_BYTES_MAX, Frame, MAGIC, PARTS_MAX, SPANS_PER_FRAME,
    frame_hash,
};
use super::plan::PiecePlan;
use crate::atomic::{self, create_private};

/// Bytes around the payload of a frame.
pub(super) const FRAME_OVERHEAD: usize = 1 + 4 + HASH_BYTES;
/// Bytes of the hash behind the payload.
const HASH_BYTES: usize = 16;
/// Bytes of the frame that ends a bundle.
const END_FRAME_BYTES: usize = Frame::END_BYTES + FRAME_OVERHEAD;
/// Bytes before the first frame: the magic and the version.
pub(super) const START_BYTES: u64 = MAGIC.len() as u64 + 1;

/// What comes out of a bundle next.
#[derive(Debug)]
pub enum Piece {
    /// A frame whose hash is right.
    Frame(Frame),
    /// A frame of a type this build does not know; the bundle was made by a newer one.
    Newer,
    /// Bytes that are not what was written: one frame, or a stretch that reads as no frames. What
    /// stands behind may be whole; where nothing there can be told apart, this is the last.
    Altered,
    /// The file ends here although more was written.
    Cut,
    /// The end, as written.
    End,
    /// The end, and bytes behind it that nobody wrote there.
    Trailing,
}

/// Why a file is no bundle at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It does not begin like one.
    #[error("not a bundle")]
    Foreign,
    /// It is a folder, a pipe or a device.
    #[error("no file")]
    NoFile,
    /// It holds nothing at all.
    #[error("an empty file")]
    Empty,
    /// It ends inside its first bytes.
    #[error("the bundle ends inside its header")]
    Truncated,
    /// Its first frame is damaged.
    #[error("the header of the bundle is altered")]
    Altered,
    /// A newer layout.
    #[error("the bundle has format {0}, this build reads up to {FORMAT_VERSION}")]
    Newer(u8),
    /// The disk.
    #[error("failed to read the bundle: {0}")]
    Io(#[from] io::Error),
}

/// Reads one bundle: a file, or whatever else brings its bytes.
#[derive(Debug)]
pub struct BundleReader<R = BufReader<File>> {
    file: Tailed<R>,
    header: BundleHeader,
    /// Frames read so far, the header included.
    frames: u32,
    /// What the newest frame was, where it was altered.
    damage: Option<Damage>,
    /// Whether any frame was altered.
    altered: bool,
    done: bool,
}

/// An altered frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    /// Its type is one of ours: something in it is wrong.
    Inside,
    /// Not even its type is: these bytes were never a frame's beginning.
    Foreign,
}

/// A file that remembers the last bytes it gave, as many as an end has.
#[derive(Debug)]
struct Tailed<R> {
    file: R,
    last: Vec<u8>,
}

impl<R: Read> Read for Tailed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.file.read(buffer)?;
        let new = buffer.get(got.saturating_sub(END_FRAME_BYTES)..got).unwrap_or_default();
        let over = (self.last.len() + new.len()).saturating_sub(END_FRAME_BYTES);
        self.last.drain(..over);
        self.last.extend_from_slice(new);
        Ok(got)
    }
}

impl<R> Tailed<R> {
    /// Whether the end as it was written came last: then nothing is missing there.
    fn ends_as_written(&self) -> bool {
        let [kind, 0, 0, 0, length, rest @ ..] = self.last.as_slice() else { return false };
        let length = usize::from(*length);
        let Some((payload, hash)) = rest.split_at_checked(length) else { return false };
        (*kind, length) == (Frame::END, Frame::END_BYTES) && hash == frame_hash(*kind, payload)
    }
}

/// What stands next in a file.
#[derive(Debug)]
enum Next {
    /// A frame whose hash is right, or the end of the bytes.
    Piece(Piece),
    /// A frame whose bytes are not what was written.
    Altered(Damage),
    /// The same, and what stands behind cannot be told apart.
    Lost(Damage),
}

impl BundleReader {
    /// Opens `path` and reads its header.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        // Some systems open a folder and fail later, some at once; neither is a failing disk. And who
        // opens a pipe waits for somebody to write into it, perhaps for ever.
        if !fs::metadata(path)?.is_file() {
            return Err(OpenError::NoFile);
        }
        Self::read(BufReader::with_capacity(1 << 16, File::open(path)?))
    }
}

impl<R: Read> BundleReader<R> {
    /// Reads the header of a bundle.
    ///
    /// # Errors
    /// [`OpenError`], never that it is a folder.
    pub fn read(file: R) -> Result<Self, OpenError> {
        let mut file = Tailed { file, last: Vec::new() };
        let mut start = [0; 9];
        let got = read_up_to(&mut file, &mut start)?;
        let begun = start.get(..got.min(MAGIC.len())).unwrap_or_default();
        if got == 0 {
            return Err(OpenError::Empty);
        }
        if !MAGIC.starts_with(begun) {
            return Err(OpenError::Foreign);
        }
        if got < start.len() {
            return Err(OpenError::Truncated);
        }
        match start {
            [.., FORMAT_VERSION] => {}
            // The first version is 1.
            [.., 0] => return Err(OpenError::Altered),
            [.., version] => return Err(OpenError::Newer(version)),
        }
        match next_frame(&mut file)? {
            Next::Piece(Piece::Frame(Frame::Header(header))) => {
                Ok(Self { file, header, frames: 1, damage: None, altered: false, done: false })
            }
            Next::Piece(Piece::Cut) => Err(OpenError::Truncated),
            Next::Piece(_) | Next::Altered(_) | Next::Lost(_) => Err(OpenError::Altered),
        }
    }

    /// The first frame.
    pub const fn header(&self) -> &BundleHeader {
        &self.header
    }

    /// The next piece; after [`Piece::End`], [`Piece::Trailing`] or [`Piece::Cut`] there is none. A
    /// file that ends with another count of frames than it has, and none of them altered, has lost
    /// some whole: that is a cut as well.
    ///
    /// # Errors
    /// What the disk says.
    pub fn next_piece(&mut self) -> io::Result<Option<Piece>> {
        while !self.done {
            let next = next_frame(&mut self.file)?;
            let behind = self.damage.take();
            let piece = match next {
                Next::Altered(damage) | Next::Lost(damage) => {
                    self.done = matches!(next, Next::Lost(_));
                    self.frames = self.frames.saturating_add(1);
                    (self.altered, self.damage) = (true, Some(damage));
                    // A stretch of noughts reads as hundreds of frames, and is one damaged place.
                    let is_same = [behind, self.damage].contains(&Some(Damage::Foreign));
                    if behind.is_some() && (is_same || self.done) {
                        continue;
                    }
                    Piece::Altered
                }
                // The last bytes are there, and altered: less than a frame's beginning is left of them.
                Next::Piece(Piece::Cut) if behind == Some(Damage::Foreign) => {
                    self.done = true;
                    continue;
                }
                Next::Piece(Piece::Frame(Frame::End(frames))) => self.end(frames)?,
                Next::Piece(piece) => piece,
            };
            if !matches!(piece, Piece::Altered) {
                self.frames = self.frames.saturating_add(1);
            }
            self.done |= matches!(piece, Piece::End | Piece::Trailing | Piece::Cut);
            return Ok(Some(piece));
        }
        Ok(None)
    }

    /// What an end that names so many frames is.
    fn end(&mut self, frames: u32) -> io::Result<Piece> {
        Ok(if frames != self.frames && !self.altered {
            Piece::Cut
        } else if read_up_to(&mut self.file, &mut [0])? > 0 {
            Piece::Trailing
        } else {
            Piece::End
        })
    }
}

/// Reads one frame. A length beyond the limit cannot be skipped, and no cut makes one.
fn next_frame<R: Read>(file: &mut Tailed<R>) -> io::Result<Next> {
    let mut start = [0; FRAME_OVERHEAD - HASH_BYTES];
    if read_up_to(file, &mut start)? < start.len() {
        return Ok(if file.ends_as_written() {
            Next::Lost(Damage::Foreign)
        } else {
            Next::Piece(Piece::Cut)
        });
    }
    let [kind, length @ ..] = start;
    let length = u32::from_be_bytes(length) as usize;
    let damage = if Frame::is_kind(kind) { Damage::Inside } else { Damage::Foreign };
    let is_end = kind == Frame::END;
    if length > FRAME_BYTES_MAX || (is_end && length != Frame::END_BYTES) {
        return Ok(Next::Lost(damage));
    }
    let mut rest = vec![0; length + HASH_BYTES];
    if read_up_to(file, &mut rest)? < rest.len() {
        // No frame has the type 0, and nothing is missing where the end is there.
        let is_changed = kind == 0 || file.ends_as_written();
        return Ok(if is_changed { Next::Lost(damage) } else { Next::Piece(Piece::Cut) });
    }
    let (payload, hash) = rest.split_at(length);
    if hash != frame_hash(kind, payload) {
        return Ok(if is_end { Next::Lost(damage) } else { Next::Altered(damage) });
    }
    Ok(match Frame::decode(kind, payload) {
        Ok(Some(frame)) => Next::Piece(Piece::Frame(frame)),
        Ok(None) => Next::Piece(Piece::Newer),
        Err(_) => Next::Altered(damage),
    })
}

/// Fills `buffer` as far as the file goes.
fn read_up_to(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(got) => filled += got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Writes a bundle in one file, or in the pieces of a plan.
///
/// Everything goes to `*.part` files first; [`BundleWriter::finish`] makes them durable and gives
/// them their names, so that a stick pulled out early never holds a file that looks whole.
#[derive(Debug)]
pub struct BundleWriter {
    target: PathBuf,
    header: BundleHeader,
    preamble: Vec<Frame>,
    plan: std::vec::IntoIter<PiecePlan>,
    /// How many pieces there will be, which each says at its head.
    parts: u16,
    /// Those that were written to their end, and are closed: there may be thousands.
    pieces: Vec<Unfinished>,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: BufWriter<File>,
    /// Behind `file`, so that it is closed before its name goes.
    path: Unfinished,
    frames: u32,
    /// Runs this piece still takes.
    room: u64,
    /// The feed the newest run belongs to.
    feed: Option<Frame>,
    /// Feeds introduced so far; one that comes again is introduced again.
    feeds: u32,
}

impl BundleWriter {
    /// Begins a bundle that will be called `target`. Each piece begins with the header, with what
    /// it holds by the plan, and with `preamble` (the root statement, the heads), so that each
    /// explains itself.
    pub fn new(
        target: &Path,
        header: BundleHeader,
        preamble: Vec<Frame>,
        plan: Vec<PiecePlan>,
    ) -> Self {
        let parts = u16::try_from(plan.len().max(1)).unwrap_or(PARTS_MAX);
        let (target, plan) = (target.to_path_buf(), plan.into_iter());
        Self { target, header, preamble, plan, parts, pieces: Vec::new(), open: None }
    }

    /// Adds a frame of `feed`'s: the feed's own frame goes before its first in every piece.
    ///
    /// # Errors
    /// What the disk says; and that there is more than was planned.
    pub fn push(&mut self, feed: &Frame, make: impl Fn(u32) -> Frame) -> io::Result<()> {
        if self.open.as_ref().is_none_or(|open| open.room == 0) {
            self.begin()?;
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        open.room = open.room.saturating_sub(1);
        if open.feed.as_ref() != Some(feed) {
            open.write(feed)?;
            open.feed = Some(feed.clone());
            open.feeds += 1;
        }
        open.write(&make(open.feeds - 1))
    }

    fn begin(&mut self) -> io::Result<()> {
        self.end()?;
        let number = self.pieces.len() + 1;
        let planned = self.plan.next().zip(u16::try_from(number).ok());
        let (plan, part) = planned.ok_or_else(not_as_planned)?;
        let path = unfinished_name(&self.target, number);
        let file = BufWriter::with_capacity(1 << 16, create_private(&path)?);
        let path = Unfinished(path);
        let mut open = Open { file, path, frames: 0, room: plan.runs, feed: None, feeds: 0 };
        open.file.write_all(MAGIC)?;
        open.file.write_all(&[FORMAT_VERSION])?;
        let parts = self.parts;
        open.write(&Frame::Header(BundleHeader { part, parts, ..self.header.clone() }))?;
        for spans in plan.spans.chunks(SPANS_PER_FRAME) {
            open.write(&Frame::Contents(spans.to_vec()))?;
        }
        for frame in &self.preamble {
            open.write(frame)?;
        }
        self.open = Some(open);
        Ok(())
    }

    /// Ends the piece under way and makes it durable.
    fn end(&mut self) -> io::Result<()> {
        if let Some(open) = self.open.take() {
            self.pieces.push(open.end()?);
        }
        Ok(())
    }

    /// Ends every piece, makes it durable, and gives it its name.
    ///
    /// # Errors
    /// What the disk says, and that there is less than was planned, for each piece names how many there
    /// are; the files that have no name yet are then removed.
    pub fn finish(mut self) -> io::Result<Vec<PathBuf>> {
        if self.open.is_none() {
            self.begin()?;
        }
        self.end()?;
        if self.plan.next().is_some() {
            return Err(not_as_planned());
        }
        let names = piece_names(&self.target, self.pieces.len());
        for (unfinished, name) in self.pieces.iter().zip(&names) {
            fs::rename(&unfinished.0, name)?;
        }
        atomic::sync_folder(&self.target)?;
        Ok(names)
    }
}

/// Something rotted between planning and writing, so that the pieces are others.
fn not_as_planned() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "other runs than were planned; export again")
}

/// A file before it has its name; it goes with this value, unless it got its name by then.
#[derive(Debug)]
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

impl Open {
    fn write(&mut self, frame: &Frame) -> io::Result<()> {
        let (kind, payload) = frame.encode();
        write_frame(&mut self.file, kind, &payload)?;
        self.frames += 1;
        Ok(())
    }

    /// Writes the end and makes the file durable.
    fn end(mut self) -> io::Result<Unfinished> {
        self.write(&Frame::End(self.frames))?;
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(self.path)
    }
}

fn write_frame(file: &mut impl Write, kind: u8, payload: &[u8]) -> io::Result<()> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    file.write_all(&[kind])?;
    file.write_all(&length.to_be_bytes())?;
    file.write_all(payload)?;
    file.write_all(&frame_hash(kind, payload))
}

/// Bytes a frame takes in a file.
pub(super) fn frame_bytes(frame: &Frame) -> u64 {
    (frame.encode().1.len() + FRAME_OVERHEAD) as u64
}

/// What piece 2 of `desa.wksbm` is called before it is whole: `desa.wksbm.2.part`.
fn unfinished_name(target: &Path, number: usize) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{number}.part"));
    target.with_file_name(name)
}

/// What the pieces of `target` are called: as asked for where there is one only.
pub fn piece_names(target: &Path, pieces: usize) -> Vec<PathBuf> {
    if pieces <= 1 {
        return vec![target.to_path_buf()];
    }
    (1..=pieces).map(|part| with_suffix(target, &format!("{part}of{pieces}"))).collect()
}

/// `desa.wksbm` and `2of3` become `desa.2of3.wksbm`.
fn with_suffix(target: &Path, suffix: &str) -> PathBuf {
    let stem = target.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let extension = target.extension().map_or("wksbm".into(), |e| e.to_string_lossy());
    target.with_file_name(format!("{stem}.{suffix}.{extension}"))
}
