//! Strangers who are turned away at a full door, and the word they get: when to come again. It is the
//! first and only frame of their link, in place of the name of the device that speaks.

use std::time::Duration;

use crate::net::{CloseReason, Link};
use crate::sync::Stream;

/// How the frame begins; then the seconds, big-endian.
const COME_AGAIN: u8 = 1;

/// What a stranger is told.
pub(super) fn come_again(wait: Duration) -> Vec<u8> {
    let whole = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let [high, low] = u16::try_from(whole).unwrap_or(u16::MAX).to_be_bytes();
    vec![COME_AGAIN, high, low]
}

/// The seconds to wait, where a first frame says so. It may be a lie: nobody need wait.
pub(super) fn wait_of(first: &[u8]) -> Option<u16> {
    let [COME_AGAIN, high, low] = *first else { return None };
    Some(u16::from_be_bytes([high, low]))
}

/// Says it and closes; what the other side says meanwhile is not looked at.
pub(super) async fn turn_away(mut link: Link, wait: Duration) {
    if link.writer.send(Stream::Control, come_again(wait)).await.is_ok() {
        link.writer.close(CloseReason::Refused);
        while let Ok(Some(_)) = link.reader.next().await {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_as_it_was_told_and_never_shorter() {
        let read = |millis| wait_of(&come_again(Duration::from_millis(millis)));
        assert_eq!([read(0), read(1), read(599_001)], [Some(0), Some(1), Some(600)]);
        assert_eq!(read(u64::MAX), Some(u16::MAX));
    }

    #[test]
    fn the_name_of_a_device_is_no_wait_and_neither_is_anything_else() {
        for first in [&[][..], &[1], &[1, 0], &[2, 0, 9], &[1, 0, 9, 0], &[1; 32]] {
            assert_eq!(wait_of(first), None, "{first:?}");
        }
    }
}
