//! What a peer can make a node keep in memory has a limit. Each such table says how full it is.

use std::fmt;

/// A table with a limit: for who looks whether that holds, or how near it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// What it holds.
    pub what: &'static str,
    /// How many.
    pub held: usize,
    /// And at most.
    pub most: usize,
}

impl Table {
    /// One that holds `held` of at most `most`.
    pub const fn new(what: &'static str, held: usize, most: usize) -> Self {
        Self { what, held, most }
    }

    /// Whether it holds no more than it may.
    pub const fn is_within(&self) -> bool {
        self.held <= self.most
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}, at most {}", self.held, self.what, self.most)
    }
}
