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
    let again = read.to_string().parse::<Multiaddr>();
    assert_eq!(again.as_ref().ok(), Some(&read), "an address did not come back");
    let key = peer_key(&read);
    assert_eq!(again.ok().as_ref().and_then(peer_key), key);
    assert_eq!((dialled(&read).is_ok(), listened(&read).is_ok()), {
        let same = read.clone();
        (dialled(&same).is_ok(), listened(&same).is_ok())
    });
    let (_near, _quic) = (reach(&read), is_quic(&read));
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
