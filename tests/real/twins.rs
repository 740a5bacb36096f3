//! Two records that bear one whole id: an id is drawn by chance, so one of the two is somebody's making,
//! who must hide neither.

use node::error::{ErrorKind, NodeError};
use tests::office::{Office, Town, asks};

const ONE: &str = "32.09.21.2002";
const OTHER: &str = "32.09.21.2001";

fn title(office: &mut Office, id: &str) -> Result<String, NodeError> {
    let shown = office.node().record_show(id, None)?;
    let shown = serde_json::to_value(&shown).unwrap();
    let said = shown.pointer("/fields/judul/value").and_then(|it| it.as_str());
    Ok(said.unwrap_or_default().to_owned())
}

fn kind_of(refused: Result<String, NodeError>) -> ErrorKind {
    refused.unwrap_err().kind()
}

#[test]
fn records_that_bear_one_id_are_told_apart_by_area_and_kind() {
    let mut town = Town::new(35);
    let mut province = town.province();
    let mut hub = town.member(&mut province, "kecamatan", "32.09.21");
    let mut one = town.member(&mut hub, "desa-satu", ONE);
    let mut other = town.member(&mut hub, "desa-dua", OTHER);
    let mut ids = Vec::new();
    for (desa, area, said) in [(&mut one, ONE, "satu"), (&mut other, OTHER, "dua")] {
        desa.draws_from(35);
        ids.push(desa.activity(area, said));
        desa.carry_to(&mut hub);
        assert_eq!(title(desa, ids.last().unwrap()).unwrap(), said);
    }
    let [id, same] = &ids[..] else { unreachable!("two") };
    assert_eq!(id, same);

    // Neither is the hub's own: the id alone says nothing, and nothing is changed by it.
    assert_eq!(kind_of(title(&mut hub, id)), ErrorKind::RecordUnknown);
    assert!(hub.node().record_set(id, 0, &asks(&[("judul", "tiga")])).is_err());
    for (area, said) in [(ONE, "satu"), (OTHER, "dua")] {
        let named = format!("{id}@{area}");
        assert_eq!(title(&mut hub, &named).unwrap(), said);
        assert_eq!(title(&mut hub, &format!("{}@{area}", &id[..8])).unwrap(), said);
        assert_eq!(title(&mut hub, &format!("{named}@kegiatan")).unwrap(), said);
        hub.set(&named, &[("judul", &format!("{said} lagi"))]);
        assert_eq!(title(&mut hub, &named).unwrap(), format!("{said} lagi"));
    }
    let named = |what: &str| format!("{id}@{what}");
    assert_eq!(kind_of(title(&mut hub, &named("ppks"))), ErrorKind::RecordUnknown);
    assert_eq!(kind_of(title(&mut hub, &named("32.09.21"))), ErrorKind::RecordUnknown);
    assert_eq!(kind_of(title(&mut hub, &named("32.99"))), ErrorKind::AreaUnknown);
    assert_eq!(kind_of(title(&mut hub, &named("Siti"))), ErrorKind::Usage);

    // A second one in one village, of another kind: the village itself names it by that.
    one.draws_from(35);
    let twin =
        one.add("psks", ONE, &[("nama", "Karang Taruna"), ("jenis", "1")]).record.to_string();
    assert_eq!(&twin, id);
    assert_eq!(kind_of(title(&mut one, id)), ErrorKind::RecordUnknown);
    assert_eq!(title(&mut one, &named("kegiatan")).unwrap(), "satu");
    assert!(one.node().record_show(&named("psks"), None).is_ok());
}
