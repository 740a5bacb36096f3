//! What a quiet link costs. Measured in a debug build: QUIC 13 bytes a second, TCP 8, both ways with
//! heads of IP; QUIC 266 KB of memory for both ends together. Minutes long, and the first needs a
//! network of its own: `just slow`.

use std::fs::read_to_string;

use super::*;

/// Bytes the loopback has carried, heads of IP included.
fn carried() -> u64 {
    let devices = read_to_string("/proc/net/dev").unwrap();
    let lo = devices.lines().find_map(|line| line.trim().strip_prefix("lo:")).unwrap();
    lo.split_whitespace().next().unwrap().parse().unwrap()
}

/// Bytes of memory this process has.
fn resident() -> usize {
    let status = read_to_string("/proc/self/status").unwrap();
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    kilobytes.trim().trim_end_matches(" kB").trim().parse::<usize>().unwrap() * 1024
}

#[tokio::test]
#[ignore = "four minutes each, and nobody else may speak on the loopback"]
async fn a_quiet_link_carries_less_than_twenty_bytes_a_second() {
    for over in BOTH {
        let (mut one, mut other) = (Peer::start(1).await, Peer::start(2).await);
        let _links = linked(&mut one, &mut other, over).await;
        // Identify and the like have been said.
        tokio::time::sleep(Duration::from_secs(10)).await;
        let before = carried();
        tokio::time::sleep(Duration::from_secs(240)).await;
        let bytes = carried() - before;
        assert!(bytes < 20 * 240, "{over:?}: {bytes} bytes in 240 s");
        // The loopback counts what was sent; and something was, or this measures nothing.
        assert!(bytes > 0);
    }
}

#[tokio::test]
#[ignore = "memory of the whole process: nobody else may grow meanwhile"]
async fn two_hundred_quiet_links_take_less_than_two_hundred_kilobytes_each_end() {
    const LINKS: u8 = 200;
    for over in BOTH {
        let mut hub = Peer::with(250, |config| config.is_hub = true).await;
        let mut guests = Vec::new();
        for seed in 1..=LINKS {
            guests.push(Peer::with(seed, |config| config.listen.clear()).await);
        }
        let before = resident();
        let mut links = Vec::new();
        for guest in &mut guests {
            links.push(linked(guest, &mut hub, over).await);
        }
        let each = (resident() - before) / usize::from(LINKS);
        assert!(each < 400 * 1024, "{over:?}: {each}");
    }
}
