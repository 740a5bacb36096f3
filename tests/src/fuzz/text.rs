//! What people type and copy: maps of columns, addresses, the eight words of a device.

use crdt_schema::id::DeviceId;
use crdt_schema::record::Schema;
use crdt_schema::words::{eight_words, parse_eight};
use node::net::{Multiaddr, dialled, is_quic, listened, peer_key, reach};
use node::sheet::map_through;

use super::input::Input;

/// A text is read or refused, and what is read is read so again. The first byte says as what.
pub(super) fn text(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    let form = input.u8();
    let text = String::from_utf8_lossy(input.rest());
    match form % 4 {
        0 | 1 => map(&text, form >> 2),
        2 => address(&text),
        _ => words(&text),
    }
}

/// A map, used for a sheet that has its titles.
fn map(text: &str, kind: u8) -> bool {
    let kinds: Vec<_> = Schema::standard().kinds().collect();
    let kind = kinds.get(usize::from(kind) % kinds.len()).unwrap();
    map_through(text, kind).is_some()
}

/// An address, as rows, bundles, invitations and people name it.
fn address(text: &str) -> bool {
    let Ok(read) = text.parse::<Multiaddr>() else { return false };
    let Ok(again) = read.to_string().parse::<Multiaddr>() else {
        panic!("an address did not come back")
    };
    assert_eq!(again, read, "an address came back as another");
    let known = |it: &Multiaddr| {
        (peer_key(it), dialled(it).is_ok(), listened(it).is_ok(), reach(it), is_quic(it))
    };
    assert_eq!(known(&again), known(&read), "an address that came back is used otherwise");
    // What is dialled or listened at names a transport that this program has.
    assert!(dialled(&read).is_err() || is_quic(&read) || text.contains("/tcp/"), "{text}");
    true
}

fn words(text: &str) -> bool {
    let Some(words) = parse_eight(text) else { return false };
    assert_eq!(parse_eight(&words.join("-")), Some(words), "words did not come back");
    true
}

pub(super) fn texts() -> Vec<Vec<u8>> {
    const KEY: &str = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";
    let behind = |form: u8, text: &str| [&[form][..], text.as_bytes()].concat();
    let device = eight_words(&DeviceId([7; 32])).join("-");
    vec![
        behind(0, "\"Nama Lengkap\" = \"nama\"\nNIK = \"nik\"\n\"No.\" = \"\"\n"),
        behind(
            0,
            "TTL = 'tempat_tanggal_lahir' # lahir\n\"RT\\u002FRW\" = \"rt_rw\"\nNama = \"nama\"\n",
        ),
        behind(2, "/ip4/192.0.2.7/tcp/4001"),
        behind(2, "/ip6/2001:db8::1/udp/4001/quic-v1"),
        behind(2, &format!("/dns4/hub.invalid/udp/4001/quic-v1/p2p/{KEY}/p2p-circuit/p2p/{KEY}")),
        behind(3, &device),
        behind(3, &device.replace('-', " \u{2013}\n").to_uppercase()),
    ]
}
