//! Bytes as choices: a target that needs a value, not its bytes, takes it from here.

/// Takes choices from the front; where nothing is left every choice is 0.
#[derive(Debug, Clone)]
pub(super) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is left.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub(super) const fn u8(&mut self) -> u8 {
        match self.0 {
            [first, rest @ ..] => {
                self.0 = rest;
                *first
            }
            [] => 0,
        }
    }

    pub(super) const fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.u8(), self.u8()])
    }

    /// Eight bytes.
    pub(super) fn u64(&mut self) -> u64 {
        u64::from_be_bytes(self.array())
    }

    /// One of 0 .. `end`, `end` from 1 to 256.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::from(self.u8()) % end.max(1)
    }

    pub(super) fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.u8())
    }

    /// Up to `count` bytes.
    pub(super) fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Text of up to `count` bytes.
    pub(super) fn text(&mut self, count: usize) -> String {
        String::from_utf8_lossy(self.bytes(count)).chars().take(count / 3).collect()
    }
}
