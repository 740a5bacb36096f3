//! A small deadline day: the large one is `cargo run --release -p tests --bin deadline`.

use tests::deadline::{Deadline, play};

#[test]
fn villages_that_all_come_at_once_drain_and_nobody_starves() {
    let day = play(&Deadline { villages: 12, records: 20, hub: None });
    assert_eq!(day.seconds.len(), 12, "every village was proved equal");
    assert!(day.complete, "the hub's root counts every entry of every village");
    assert!(day.entries >= 12 * 20);
}
