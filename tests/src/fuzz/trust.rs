//! What trust rests on: root statements, payloads of authority, invitation files.

use crdt_schema::area::AreaId;
use crdt_schema::authority::{DeviceKeys, Payload, RootStatement, SignedStatement};
use crdt_schema::codec::{Reader, Writer};
use crdt_schema::entry::{EntryKind, SigningPublic, SigningSecret};
use node::node::invitation_again;

use super::input::Input;
use super::messages::golden;

/// A payload is read from one byte string only.
pub(super) fn payload(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    let kind = EntryKind(input.u8());
    let Ok(Some(payload)) = Payload::from_bytes(kind, input.rest()) else { return false };
    assert_eq!(payload.to_bytes(), input.rest(), "a payload has a second form");
    assert_eq!(payload.kind(), kind);
    true
}

pub(super) fn payloads() -> Vec<Vec<u8>> {
    let all = golden(include_str!("../../../crdt-schema/golden/authority-v1.hex"));
    // Which kind a line is of, reading finds out: each that takes it is a seed.
    let of = |line: Vec<u8>| {
        let takes = move |kind: &u8| {
            matches!(Payload::from_bytes(EntryKind(*kind), &line), Ok(Some(_)))
                .then(|| [&[*kind][..], &line].concat())
        };
        (16..24).filter_map(move |kind| takes(&kind))
    };
    all.into_iter().flat_map(of).collect()
}

/// A statement that is believed is read from one byte string only; whatever may be signed comes
/// back. It is signed anew first, so that what it says is looked at.
pub(super) fn statement(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    if input.u8().is_multiple_of(2) {
        let signed = signed_anew(input.rest());
        let believed = |bytes: &Vec<u8>| is_believed(bytes);
        return is_believed(input.rest()) | signed.as_ref().is_some_and(believed);
    }
    let (said, secrets) = said(&mut input);
    let Ok(signed) = said.clone().sign(&secrets) else { return false };
    assert_eq!(signed.statement(), &said);
    let again = SignedStatement::verify(signed.as_bytes());
    assert_eq!(again.unwrap().statement(), &said, "a statement did not come back");
    true
}

fn is_believed(bytes: &[u8]) -> bool {
    let Ok(read) = SignedStatement::verify(bytes) else { return false };
    assert_eq!(read.as_bytes(), bytes);
    let mut reader = Reader::new(bytes);
    let body = reader.bytes(bytes.len(), "body").unwrap();
    let network = blake3::derive_key("wksbm 2026 network v1", body);
    assert_eq!(read.statement().network().0, network, "a statement has a second form");
    true
}

/// The same statement, whatever it says, signed by the key of the golden one; none where its length
/// does not fit.
fn signed_anew(bytes: &[u8]) -> Option<Vec<u8>> {
    let body = Reader::new(bytes).bytes(bytes.len(), "body").ok()?;
    let secret = SigningSecret::from_seed(&[4; 32]);
    let signature = secret.sign(&[b"wksbm 2026 root statement v1", body].concat());
    let mut writer = Writer::new();
    writer.bytes(body).varint(1).raw(&secret.public().0).raw(&signature);
    Some(writer.finish())
}

/// Any statement, also one that nobody may make.
fn said(input: &mut Input<'_>) -> (RootStatement, Vec<SigningSecret>) {
    let secret = |seed: u8| SigningSecret::from_seed(&[seed; 32]);
    let shape = input.u8();
    let secrets: Vec<SigningSecret> = (0..input.below(4)).map(|_| secret(input.u8() % 4)).collect();
    let mut keys: Vec<SigningPublic> =
        (0..4).take(input.below(4)).map(|at| secret(at).public()).collect();
    let device = |_| {
        let seed = input.u8();
        DeviceKeys { transport: [seed; 32], signing: secret(seed % 8).public(), sealing: [1; 32] }
    };
    let mut devices: Vec<DeviceKeys> = (0..usize::from(shape % 4)).map(device).collect();
    if shape & 0x80 == 0 {
        keys.sort_unstable();
        devices.sort_unstable();
    }
    let threshold = input.u8() % 4;
    let name = input.text(400);
    let trial = shape & 0x40 != 0;
    (RootStatement { name, area: AreaId::WEST_JAVA, trial, threshold, keys, devices }, secrets)
}

pub(super) fn statements() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = invitations()
        .iter()
        .filter_map(|file| {
            let file = file.strip_prefix(MAGIC)?;
            let body = Reader::new(file.get(1..)?).bytes(16 << 10, "statement").ok()?;
            Some([&[0][..], body].concat())
        })
        .collect();
    let mut more = vec![1, 0x41, 1, 0, 1, 5, 1];
    more.extend(b"Jawa Barat");
    seeds.push(more);
    seeds
}

/// An invitation is written again as it was read, as a file and as text. Its own hash is mended
/// first, so that bytes before it are looked at, and in another the statement is signed anew.
pub(super) fn invitation(bytes: &[u8]) -> bool {
    let mut taken = false;
    let signed = with_statement_signed(bytes);
    for bytes in [Some(bytes.to_vec()), hashed(bytes), signed].into_iter().flatten() {
        let Some((file, text)) = invitation_again(&bytes) else { continue };
        if bytes.starts_with(MAGIC) {
            assert_eq!(file, bytes, "an invitation has a second form");
        }
        assert_eq!(invitation_again(&file), Some((file.clone(), text.clone())));
        assert_eq!(invitation_again(text.as_bytes()), Some((file, text)));
        taken = true;
    }
    taken
}

const MAGIC: &[u8] = b"WKSBMinv";

/// The same bytes with the hash of those before it at their end.
fn hashed(bytes: &[u8]) -> Option<Vec<u8>> {
    let before = bytes.get(..bytes.len().checked_sub(16)?)?;
    let hash = blake3::hash(before);
    Some(before.iter().chain(hash.as_bytes().iter().take(16)).copied().collect())
}

fn with_statement_signed(bytes: &[u8]) -> Option<Vec<u8>> {
    let (start, rest) = bytes.split_at_checked(MAGIC.len() + 1)?;
    let mut reader = Reader::new(rest);
    let signed = signed_anew(reader.bytes(rest.len(), "statement").ok()?)?;
    let mut writer = Writer::new();
    writer.raw(start).bytes(&signed).raw(reader.rest());
    hashed(&writer.finish())
}

pub(super) fn invitations() -> Vec<Vec<u8>> {
    let lines = include_str!("../../../node/golden/invitation-v1.txt").lines();
    let read = |line: &str| match line.strip_prefix("wksbm-undangan:") {
        Some(_) => vec![line.as_bytes().to_vec()],
        None => golden(line),
    };
    lines.flat_map(read).collect()
}
