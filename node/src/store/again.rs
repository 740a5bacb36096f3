//! For tests with foreign bytes: a value of a store that was read and written again.

/// What a value is written as, and whether nothing was lost or gained by it.
#[doc(hidden)]
#[derive(Debug)]
pub struct Again {
    /// As it is written.
    pub bytes: Vec<u8>,
    /// Whether those bytes are read as the same value.
    pub is_same_value: bool,
    /// And whether that is written as the same bytes.
    pub are_same_bytes: bool,
}

impl Again {
    pub(super) fn of<T: PartialEq>(
        value: &T,
        write: impl Fn(&T) -> Vec<u8>,
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Self {
        let bytes = write(value);
        let again = read(&bytes);
        let are_same_bytes = again.as_ref().map(&write).as_ref() == Some(&bytes);
        Self { is_same_value: again.as_ref() == Some(value), are_same_bytes, bytes }
    }
}
