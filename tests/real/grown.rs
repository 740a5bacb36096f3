//! A record that people filled: it refuses another save, loses nothing, and what was written apart on the
//! other side comes to it all the same.

use node::error::{ErrorKind, NodeError};
use tests::office::{Office, Town, asks};

const VILLAGE: &str = "32.09.21.2002";

/// As long as two fields of one save may be, each time another text.
fn fill(office: &mut Office, id: &str, turn: usize) -> Result<(), NodeError> {
    let long = format!("{turn} {}", "x".repeat(3_900));
    let fields = [("materi", long.as_str()), ("hasil", long.as_str())];
    office.node().record_set(id, 1, &asks(&fields)).map(drop)
}

fn fill_up(office: &mut Office, id: &str) -> usize {
    let refused = (0..1_000).find_map(|turn| fill(office, id, turn).err().map(|it| (turn, it)));
    let (turn, error) = refused.unwrap();
    assert!(matches!(error, NodeError::RecordTooLarge { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::ValueInvalid);
    turn
}

#[test]
fn a_record_that_was_changed_without_end_refuses_a_save_and_takes_what_was_written_apart() {
    let mut town = Town::new(36);
    let mut province = town.province();
    let mut hub = town.member(&mut province, "kecamatan", "32.09.21");
    let mut desa = town.member(&mut hub, "desa", VILLAGE);
    let id = desa.activity(VILLAGE, "Posyandu");
    desa.carry_to(&mut hub);
    hub.set(&id, &[("materi", "dari kecamatan")]);

    let saves = fill_up(&mut desa, &id);
    assert!((30..40).contains(&saves), "{saves} saves of 8 KB");
    let history = desa.node().record_history(&id, None).unwrap();
    assert_eq!((history.edits.len(), history.left_out), (saves + 1, 0));

    // What the kecamatan wrote meanwhile counts beside it, and is a conflict.
    hub.carry_to(&mut desa);
    desa.carry_to(&mut hub);
    for office in [&mut desa, &mut hub] {
        let shown = serde_json::to_value(office.node().record_show(&id, None).unwrap()).unwrap();
        assert_eq!(shown.pointer("/verdict").unwrap(), "counting");
        let others = shown.pointer("/fields/materi/others").and_then(|it| it.as_array());
        assert_eq!(others.map(Vec::len), Some(1));
        let again = office.node().record_set(&id, 1, &asks(&[("materi", "selesai")]));
        assert!(matches!(again, Err(NodeError::RecordTooLarge { .. })));
    }
    assert_eq!(desa.root(VILLAGE), hub.root(VILLAGE));
    let another = desa.activity(VILLAGE, "Posyandu, lanjutan");
    assert_eq!(fill_up(&mut desa, &another), saves);
}
