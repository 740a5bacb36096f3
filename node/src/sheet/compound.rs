//! The container of an XLS, a file system in a file: [MS-CFB]. A chain of sectors may be a ring, so none
//! is followed for longer than the file has sectors.

/// Bytes of the container's header.
const HEADER_BYTES: usize = 512;
/// Bytes of one directory entry.
const ENTRY_BYTES: usize = 128;
/// Streams shorter than this lie in small sectors.
const MINI_STREAM_BYTES: usize = 4_096;
/// Bytes of a small sector.
const MINI_SECTOR_BYTES: usize = 64;
/// From here on a sector's number is a mark.
const RESERVED: u32 = 0xffff_fffa;

/// A compound file.
pub(super) struct Container<'a> {
    bytes: &'a [u8],
    sector_bytes: usize,
    table: Vec<u32>,
    directory: Vec<u8>,
}

impl<'a> Container<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Option<Self> {
        let sector_bytes = match u16_at(bytes, 30)? {
            9 => 512,
            12 => 4_096,
            _ => return None,
        };
        let mut container = Self { bytes, sector_bytes, table: Vec::new(), directory: Vec::new() };
        let mut lists: Vec<u32> = numbers(bytes.get(76..HEADER_BYTES)?).collect();
        let mut next = u32_at(bytes, 68)?;
        for _ in 0..=container.sectors() {
            if next >= RESERVED {
                break;
            }
            lists.extend(numbers(container.sector(next)?));
            next = lists.pop()?;
        }
        for id in lists.into_iter().filter(|id| *id < RESERVED) {
            let part: Vec<u32> = numbers(container.sector(id)?).collect();
            container.table.extend(part);
            if container.table.len() > container.sectors() + sector_bytes {
                return None;
            }
        }
        container.directory = container.chain(u32_at(bytes, 48)?)?;
        Some(container)
    }

    /// Sectors the file has room for.
    const fn sectors(&self) -> usize {
        self.bytes.len() / self.sector_bytes
    }

    fn sector(&self, id: u32) -> Option<&'a [u8]> {
        let at = usize::try_from(id).ok()?.checked_add(1)?.checked_mul(self.sector_bytes)?;
        // The last one may be cut.
        let end = at.checked_add(self.sector_bytes)?.min(self.bytes.len());
        self.bytes.get(at..end)
    }

    /// The sectors of a chain, joined; none when it never ends.
    fn chain(&self, first: u32) -> Option<Vec<u8>> {
        let mut joined = Vec::new();
        let mut id = first;
        for _ in 0..=self.sectors() {
            if id >= RESERVED {
                return Some(joined);
            }
            joined.extend_from_slice(self.sector(id)?);
            id = *self.table.get(usize::try_from(id).ok()?)?;
        }
        None
    }

    /// The stream with the sheets.
    pub(super) fn workbook(&self) -> Option<Vec<u8>> {
        let (start, length) = ["Workbook", "Book"].iter().find_map(|name| self.entry(name))?;
        let mut stream =
            if length < MINI_STREAM_BYTES { self.small_chain(start)? } else { self.chain(start)? };
        stream.truncate(length);
        Some(stream)
    }

    fn entry(&self, name: &str) -> Option<(u32, usize)> {
        let mut entries = self.directory.chunks_exact(ENTRY_BYTES);
        let found = entries.find(|entry| entry_name(entry).eq_ignore_ascii_case(name))?;
        Some((u32_at(found, 116)?, usize::try_from(u32_at(found, 120)?).ok()?))
    }

    fn small_chain(&self, first: u32) -> Option<Vec<u8>> {
        let root = self.directory.get(..ENTRY_BYTES)?;
        let small = self.chain(u32_at(root, 116)?)?;
        let table = self.chain(u32_at(self.bytes, 60)?)?;
        let table: Vec<u32> = numbers(&table).collect();
        let mut joined = Vec::new();
        let mut id = first;
        for _ in 0..=table.len() {
            if id >= RESERVED {
                return Some(joined);
            }
            let place = usize::try_from(id).ok()?;
            let at = place.checked_mul(MINI_SECTOR_BYTES)?;
            let end = at.checked_add(MINI_SECTOR_BYTES)?.min(small.len());
            joined.extend_from_slice(small.get(at..end)?);
            id = *table.get(place)?;
        }
        None
    }
}

fn entry_name(entry: &[u8]) -> String {
    let units = entry.get(..64).unwrap_or_default().chunks_exact(2);
    let units = units.filter_map(|pair| u16_at(pair, 0)).take_while(|unit| *unit != 0);
    char::decode_utf16(units).map(|letter| letter.unwrap_or('\u{fffd}')).collect()
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    bytes.chunks_exact(4).filter_map(|four| u32_at(four, 0))
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_le_bytes)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}
