//! Deadline day with real sockets: `deadline [VILLAGES [RECORDS [HUB-PROGRAM]]]`.
//!
//! 330 villages with 70 records (some 200 entries) each feed one hub. With a program the hub is a
//! process of its own and its memory is told.
#![expect(clippy::print_stdout, reason = "a measure says what it found")]

use std::path::PathBuf;

use tests::deadline::{Deadline, play};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let villages = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(330);
    let records = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(70);
    let hub = arguments.next().map(PathBuf::from);
    let day = play(&Deadline { villages, records, hub });
    println!("villages {villages}, entries {}, complete {}", day.entries, day.complete);
    println!(
        "seconds until equal: first {:.1}, half {:.1}, nine of ten {:.1}, last {:.1}; sessions not equal {}",
        day.seconds_at(0.0),
        day.seconds_at(0.5),
        day.seconds_at(0.9),
        day.seconds_at(1.0),
        day.unequal
    );
    println!("bytes from villages {}, to villages {}", day.sent_bytes, day.received_bytes);
    if let (Some(rest), Some(peak)) = (day.hub_rest_kib, day.hub_peak_kib) {
        println!("hub memory at rest {rest} KiB, at most {peak} KiB");
    }
}
