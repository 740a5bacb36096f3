//! Whole imports into a node: what is taken, what is refused, and that nothing else happens.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use crdt_schema::record::Schema;
use rust_xlsxwriter::Workbook;
use tempfile::TempDir;

use super::{SheetAsk, SheetLimits};
use crate::answer::{Import, RecordShow, RevealedValue};
use crate::error::{ErrorKind, NodeError};
use crate::node::{CreateNetwork, Environment, ListAsk, Node};
use crate::progress::{Progress, Unwatched};

const DESA: &str = "32.09.39.2001";
const HEADING: &str = "No;Nama Lengkap;NIK;No. KK;L/P;Tempat/Tgl Lahir;Alamat;RT/RW;Jenis PPKS\n";

/// Limits that a test reaches.
const SMALL: SheetLimits = SheetLimits { rows_max: 400, saves_per_commit: 100, rows_per_look: 50 };

struct Desk {
    room: TempDir,
    node: Node,
}

impl Desk {
    fn new() -> Self {
        let room = TempDir::new().unwrap();
        let env = Environment::system(Arc::new(Schema::standard().clone()));
        let ask = CreateNetwork { name: "Uji".to_owned(), area: "32".to_owned() };
        let folder = room.path().join("data");
        Node::create_network(&folder, &env, &ask).unwrap();
        let node = Node::open(&folder, env).unwrap();
        Self { room, node }
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.room.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn ask(&self, kind: &str, bytes: impl AsRef<[u8]>, apply: bool) -> SheetAsk {
        let file = self.file("lembar", bytes);
        SheetAsk { file, kind: kind.to_owned(), area: DESA.to_owned(), map: None, apply, person: 0 }
    }

    fn import(&mut self, bytes: impl AsRef<[u8]>, apply: bool) -> Result<Import, NodeError> {
        let ask = self.ask("ppks", bytes, apply);
        self.node.import_sheet(&ask, &mut Unwatched)
    }

    fn apply(&mut self, bytes: impl AsRef<[u8]>) -> Import {
        self.import(bytes, true).unwrap()
    }

    fn root(&self) -> String {
        self.node.root(Some("32")).unwrap().root.to_string()
    }

    fn found(&self, query: &str) -> Vec<RecordShow> {
        let ask = ListAsk {
            area: Some(DESA.to_owned()),
            query: Some(query.to_owned()),
            limit: 100,
            ..ListAsk::default()
        };
        let listed = self.node.record_list(&ask).unwrap().records;
        let show = |id: String| self.node.record_show(&id, Some("uji")).unwrap();
        listed.into_iter().map(|row| show(row.record.to_string())).collect()
    }
}

/// Rows refused, new, changed, unchanged.
fn counts(report: &Import) -> (u64, u64, u64, u64) {
    let refused = report.refused_by_rule.values().sum();
    assert_eq!(report.rows, refused + report.new + report.changed + report.unchanged);
    (refused, report.new, report.changed, report.unchanged)
}

fn rules(report: &Import) -> Vec<(u64, &str, &str)> {
    report.refused.iter().map(|it| (it.row, it.field.as_str(), it.rule.as_str())).collect()
}

fn value(record: &RecordShow, field: &str) -> String {
    let found = record.fields.iter().find(|(name, _)| name == field);
    match found.map(|(_, shown)| &shown.value) {
        Some(RevealedValue::Shown(serde_json::Value::String(text))) => text.clone(),
        Some(RevealedValue::Shown(other)) => other.to_string(),
        other => format!("{other:?}"),
    }
}

fn nik(serial: u32) -> String {
    format!("320501010187{}", 9_000 + serial)
}

/// Rows of people with a NIK each.
fn people(count: u32) -> String {
    let mut text = HEADING.to_owned();
    for n in 0..count {
        let born = format!("Garut, 01-01-{}", 1_940 + n % 80);
        let (a, b) = (n / 1_000, n % 1_000);
        let nik = format!("3205{:02}0101{:02}{}", 1 + a % 40, n % 80, 9_000 + b);
        writeln!(text, "{n};Orang {n};{nik};;L;{born};Kp. Contoh;01/02;08").unwrap();
    }
    text
}

#[test]
fn a_dry_run_reports_and_writes_nothing_and_a_second_apply_changes_nothing() {
    let mut desk = Desk::new();
    let before = desk.root();
    let dry = desk.import(people(50), false).unwrap();
    assert_eq!((counts(&dry), dry.applied), ((0, 50, 0, 0), false));
    assert_eq!(desk.root(), before);
    let wet = desk.apply(people(50));
    assert_eq!((counts(&wet), wet.applied), ((0, 50, 0, 0), true));
    let after = desk.root();
    assert_ne!(after, before);
    assert_eq!(counts(&desk.apply(people(50))), (0, 0, 0, 50));
    assert_eq!(desk.root(), after, "not one entry more");
    assert_eq!(desk.node.status().unwrap().records, 50);
}

#[test]
fn a_nik_is_repaired_and_finds_its_record_and_blank_erases_nothing() {
    let mut desk = Desk::new();
    let whole = nik(1);
    let first =
        format!("{HEADING}1;Euis Contoh;{whole};;P;Garut, 17-08-1960;Jl. Raya 1;02/05;08\n");
    desk.apply(first);
    let typed = format!("'{} {}.{}\u{a0}", &whole[..4], &whole[4..10], &whole[10..]);
    let second = format!("{HEADING}1;Euis Contoh;{typed};;;;;-/-;\n2;;{whole};;;;Jl. Baru 2;;\n");
    let report = desk.apply(second);
    assert_eq!(rules(&report), [(3, "", "ganda_dalam_berkas")]);
    assert_eq!((report.unchanged, report.changed), (1, 0));
    let report = desk.apply(format!("{HEADING}2;;{whole};;;;Jl. Baru 2;;\n"));
    assert_eq!(counts(&report), (0, 0, 1, 0));
    let found = desk.found(&whole);
    let [record] = found.as_slice() else { panic!("one record") };
    for (field, expected) in [
        ("nama", "Euis Contoh"),
        ("alamat", "Jl. Baru 2"),
        ("tempat_lahir", "Garut"),
        ("tanggal_lahir", "1960-08-17"),
        ("rt", "02"),
        ("rw", "05"),
        ("sumber_data", "impor"),
    ] {
        assert_eq!(value(record, field), expected, "{field}");
    }
}

#[test]
fn refused_rows_are_named_with_their_reason_and_the_others_are_written() {
    let mut desk = Desk::new();
    let text = format!(
        "DAFTAR PPKS;;;;;;;;\n\n{HEADING}(1);(2);(3);(4);(5);(6);(7);(8);(9)\n\
         1;A;3,20501E+15;;L;;;01/02;08\n\
         2;B;12345;;L;;;01/02;08\n\
         3;C;;;L;Garut, 31-02-1960;;01/02;08\n\
         4;D;;;X;;;01/02;08\n\
         5;;;;L;;;01/02;08\n\
         6;F;;;L;#REF!;;01/02;08\n\
         7;G;;;L;;Jl. A;01/02;08;lebih\n\
         8;H;;;L;;;01/02;08\n\
         9;h;;;L;;;1/2;08\n\
         10;Rapi;{};;L;;;01/02;08\n",
        nik(3)
    );
    let before = desk.root();
    assert!(desk.import(&text, false).is_ok());
    assert_eq!(desk.root(), before);
    let report = desk.apply(&text);
    assert_eq!(
        rules(&report),
        [
            (5, "nik", "rusak_excel"),
            (6, "nik", "bukan_16_angka"),
            (7, "tanggal_lahir", "bukan_tanggal"),
            (8, "jenis_kelamin", "kode_tidak_dikenal"),
            (9, "nama", "wajib_diisi"),
            (10, "tempat_lahir", "sel_rusak"),
            (11, "", "baris_melebihi_judul"),
            (13, "", "ganda_dalam_berkas"),
        ]
    );
    assert_eq!((report.new, desk.node.status().unwrap().records), (2, 2));
    assert!(!format!("{:?}", report.refused).contains("12345"), "no value in a report");
    for row in &report.refused {
        assert!(crdt_schema::record::rule(&row.rule).is_some(), "{}", row.rule);
    }
}

#[test]
fn a_control_sign_refuses_its_row_by_name_and_the_rest_is_written() {
    let mut desk = Desk::new();
    let text = "Nama;NIK;L/P;Alamat;Jenis PPKS;Catatan Kami\n\
                Bersih;;L;Jl. Satu;08;\n\
                Tab\u{b}tegak;;L;Jl. Dua;08;\n\
                Bersih juga;;L;Jl. \u{1b}[31mTiga;08;\n\
                Nol;12\0;L;Jl. Empat;08;\n\
                Bel;;L\u{7};Jl. Lima;08;\n\
                Lewat;;L;Jl. Enam;08;\u{7}\n\u{1a}";
    let report = desk.apply(text);
    assert_eq!(
        rules(&report),
        [
            (3, "nama", "huruf_kendali"),
            (4, "alamat", "huruf_kendali"),
            (5, "nik", "huruf_kendali"),
            (6, "jenis_kelamin", "huruf_kendali"),
        ]
    );
    assert_eq!(counts(&report), (4, 2, 0, 0));

    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (row, name) in (0..).zip(["Nama", "Buku\u{b}satu", "Buku dua", "Buku\0tiga"]) {
        sheet.write(row, 0, name).unwrap();
        sheet.write(row, 1, if row == 0 { "L/P" } else { "L" }).unwrap();
        sheet.write(row, 2, if row == 0 { "Jenis PPKS" } else { "08" }).unwrap();
    }
    let report = desk.apply(book.save_to_buffer().unwrap());
    assert_eq!(rules(&report), [(2, "nama", "huruf_kendali"), (4, "nama", "huruf_kendali")]);
    assert_eq!(report.new, 1);
}

#[test]
fn a_file_that_cannot_be_read_to_its_end_changes_nothing() {
    let mut desk = Desk::new();
    let before = desk.root();
    let open = format!("{}1;\"Asep", people(30));
    let zip = b"PK\x03\x04 and nothing behind it".to_vec();
    for (bytes, kind) in [
        (open.into_bytes(), ErrorKind::FileAltered),
        (zip, ErrorKind::FileTruncated),
        (b"%PDF-1.4\x00".to_vec(), ErrorKind::FileForeign),
        (b"apa;saja\n1;2\n".to_vec(), ErrorKind::ValueInvalid),
        (b"Nama;Nama Lengkap;RT\nA;B;1\n".to_vec(), ErrorKind::ValueInvalid),
        (Vec::new(), ErrorKind::FileTruncated),
    ] {
        let refused = desk.import(bytes, true).unwrap_err();
        assert_eq!(refused.kind(), kind, "{refused}");
    }
    let mut absent = desk.ask("ppks", "", true);
    absent.file = desk.room.path().join("tiada.csv");
    let refused = desk.node.import_sheet(&absent, &mut Unwatched).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::FileMissing);
    let large = desk.ask("ppks", people(401), true);
    let refused = desk.node.import_sheet_within(&large, SMALL, &mut Unwatched).unwrap_err();
    assert!(
        matches!(refused, NodeError::ValueInvalid { rule, .. } if rule == "berkas_terlalu_besar")
    );
    assert_eq!(desk.root(), before);
}

#[test]
fn a_row_with_a_nik_and_a_reason_for_having_none_is_refused_and_one_that_brings_the_nik_clears_it()
{
    let mut desk = Desk::new();
    let heading = "Nama Lengkap;NIK;Alasan Tanpa NIK;RW;RT;Jenis PPKS\n";
    let both = format!("Asep;{};hilang;01;02;08\nUjang;;hilang;01;02;08\n", nik(1));
    let report = desk.apply(format!("{heading}{both}"));
    assert_eq!(rules(&report), [(2, "alasan_tanpa_nik", "nik_dan_alasan")]);
    assert_eq!(counts(&report), (1, 1, 0, 0));
    assert_eq!(value(&desk.found("ujang")[0], "alasan_tanpa_nik"), "hilang");
}

#[test]
fn a_row_that_names_a_record_which_is_not_here_is_taken_and_noticed() {
    let mut desk = Desk::new();
    desk.apply(people(1));
    let held = desk.node.record_list(&ListAsk { limit: 1, ..ListAsk::default() }).unwrap();
    let held = held.records[0].record;
    let absent = "00112233445566778899aabbccddeeff";
    let heading = "ppks;jenis;tanggal\n";
    let row = |id: &str| format!("{id};pangan;2026-03-01\n");
    let text = [heading.to_owned(), row(&held.to_string()), row(absent), row("0011")].concat();
    let ask = desk.ask("layanan", text, true);
    let report = desk.node.import_sheet(&ask, &mut Unwatched).unwrap();
    let noticed: Vec<_> =
        report.noticed.iter().map(|it| (it.row, it.field.as_str(), it.rule.as_str())).collect();
    assert_eq!(noticed, [(3, "ppks", "rujukan_belum_ada")], "{:?}", report.refused);
    assert!(!format!("{:?}", report.noticed).contains(absent));
    assert_eq!(rules(&report), [(4, "ppks", "bukan_id")]);
    assert_eq!(report.new, 2);
}

/// Asks to stop once so much is behind.
struct StopAt(u64);

impl Progress for StopAt {
    fn at(&mut self, done: u64, _total: u64) -> bool {
        done < self.0
    }
}

#[test]
fn an_interrupted_import_is_completed_by_the_same_import() {
    let mut desk = Desk::new();
    let before = desk.root();
    let ask = desk.ask("ppks", people(250), true);
    let planning = desk.node.import_sheet_within(&ask, SMALL, &mut StopAt(50)).unwrap_err();
    assert_eq!(planning.kind(), ErrorKind::Interrupted);
    assert_eq!(desk.root(), before, "stopped while it was planned");
    let writing = desk.node.import_sheet_within(&ask, SMALL, &mut StopAt(450)).unwrap_err();
    assert_eq!(writing.kind(), ErrorKind::Interrupted);
    assert_eq!(desk.node.status().unwrap().records, 200, "whole commits");
    let rest = desk.node.import_sheet_within(&ask, SMALL, &mut Unwatched).unwrap();
    assert_eq!(counts(&rest), (0, 50, 0, 200));
    assert_eq!(desk.node.status().unwrap().records, 250);
    assert_eq!(counts(&desk.node.import_sheet(&ask, &mut Unwatched).unwrap()), (0, 0, 0, 250));
}

/// Writes over the file once the first reading is through.
struct Swap(PathBuf, String);

impl Progress for Swap {
    fn at(&mut self, _done: u64, total: u64) -> bool {
        if total == 0 {
            fs::write(&self.0, &self.1).unwrap();
        }
        true
    }
}

#[test]
fn a_file_that_changes_between_the_readings_is_found() {
    let mut desk = Desk::new();
    let before = desk.root();
    let text = people(50);
    let ask = desk.ask("ppks", &text, true);
    let mut swap = Swap(ask.file.clone(), text.replacen("Orang 7;", "Orang 8;", 1));
    let refused = desk.node.import_sheet_within(&ask, SMALL, &mut swap).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::FileAltered, "{refused}");
    assert_eq!(desk.root(), before);
}

#[test]
fn rows_without_nik_find_their_record_by_what_identifies_them() {
    let mut desk = Desk::new();
    let text = format!(
        "{HEADING}1;Ujang;;;L;Garut, 01-01-1950;;01/02;GLD\n2;Ujang;;;L;Garut, 01-01-1951;;01/02;GLD\n"
    );
    assert_eq!(counts(&desk.apply(&text)), (0, 2, 0, 0));
    assert_eq!(counts(&desk.apply(&text)), (0, 0, 0, 2));
    // The NIK learned later belongs to the same record; then it decides.
    let learned = format!("{HEADING}1;UJANG;{};;L;Garut, 01-01-1950;;1/2;\n", nik(5));
    assert_eq!(counts(&desk.apply(learned)), (0, 0, 1, 0));
    assert_eq!(desk.node.status().unwrap().records, 2);
    let other = format!("{HEADING}1;Ujang;{};;L;Garut, 01-01-1950;;1/2;08\n", nik(6));
    assert_eq!(counts(&desk.apply(other)), (0, 1, 0, 0), "another NIK is another person");
    let either = format!("{HEADING}1;Ujang;;;L;Garut, 01-01-1950;;1/2;08\n");
    let report = desk.apply(either);
    assert_eq!(rules(&report), [(2, "", "cocok_lebih_dari_satu")]);
}

/// What a report says of whom its rows mean.
fn noticed(report: &Import) -> Vec<(u64, &str)> {
    let whom = ["dikenali_dari_nama", "nama_sama", "nama_berbeda"];
    let told = report.noticed.iter().map(|it| (it.row, it.rule.as_str()));
    told.filter(|(_, rule)| whom.contains(rule)).collect()
}

#[test]
fn a_name_alone_joins_nobody_and_a_row_that_would_change_somebody_by_it_is_refused() {
    let mut desk = Desk::new();
    let text = format!("{HEADING}1;Asep;;;L;;;01/02;08\n2;Euis;;;P;;;01/02;08\n");
    assert_eq!(counts(&desk.apply(&text)), (0, 2, 0, 0));
    let before = desk.root();
    assert_eq!(counts(&desk.apply(&text)), (0, 0, 0, 2), "the same rows say nothing new");
    let new = format!(
        "{HEADING}1;Asep;;;L;;Jl. Baru 9;01/02;08\n\
         2;Euis;{};;P;;;01/02;08\n",
        nik(21)
    );
    let report = desk.apply(new);
    assert_eq!(rules(&report), [(2, "", "belum_tentu_sama"), (3, "", "belum_tentu_sama")]);
    assert_eq!((report.new, report.changed, desk.root()), (0, 0, before));
}

#[test]
fn a_row_joined_by_name_and_day_of_birth_is_told_and_so_is_a_namesake() {
    let mut desk = Desk::new();
    let born = format!("{HEADING}1;Ujang;;;L;Garut, 01-01-1950;;01/02;GLD\n");
    assert_eq!(noticed(&desk.apply(&born)), []);
    let learned = format!(
        "{HEADING}1;Ujang;{};;L;Garut, 01-01-1950;;01/02;\n\
         2;Ujang;;;L;;;01/03;08\n\
         3;Ujang;;;L;Garut, 01-01-1951;;01/03;08\n\
         4;Udin;;;L;;;01/04;08\n\
         5;Udin;{};;L;;;01/05;08\n",
        nik(22),
        nik(23)
    );
    let dry = desk.import(&learned, false).unwrap();
    let told = [(2, "dikenali_dari_nama"), (3, "nama_sama"), (4, "nama_sama"), (6, "nama_sama")];
    assert_eq!(noticed(&dry), told);
    assert_eq!(counts(&desk.apply(&learned)), (0, 4, 1, 0));
    let again = desk.apply(&learned);
    assert_eq!((counts(&again), noticed(&again)), ((0, 0, 0, 5), vec![]));
}

#[test]
fn numbers_of_two_families_in_one_row_mean_neither() {
    let mut desk = Desk::new();
    let heading = "Kepala;No KK;NIK;RW;RT;Alamat\n";
    let two = format!(
        "{heading}E1;3209390101709011;{};01;01;A\nE2;3209390101709012;{};01;01;B\n",
        nik(31),
        nik(32)
    );
    let ask = desk.ask("keluarga", &two, true);
    assert_eq!(counts(&desk.node.import_sheet(&ask, &mut Unwatched).unwrap()), (0, 2, 0, 0));
    let before = desk.root();
    let mixed = format!("{heading}E1;3209390101709011;{};01;01;A\n", nik(32));
    let ask = desk.ask("keluarga", &mixed, true);
    let report = desk.node.import_sheet(&ask, &mut Unwatched).unwrap();
    assert_eq!(rules(&report), [(2, "", "cocok_lebih_dari_satu")]);
    assert_eq!(desk.root(), before);
}

#[test]
fn a_namesake_born_the_same_day_is_told_whatever_its_nik() {
    let mut desk = Desk::new();
    let row = |nik: String| format!("{HEADING}1;Lina;{nik};;P;Garut, 10-10-1970;;01/01;08\n");
    assert_eq!(noticed(&desk.apply(row(nik(33)))), []);
    let report = desk.apply(row(nik(34)));
    assert_eq!((counts(&report), noticed(&report)), ((0, 1, 0, 0), vec![(2, "nama_sama")]));
}

#[test]
fn a_number_that_belongs_to_another_name_is_told() {
    let mut desk = Desk::new();
    desk.apply(format!("{HEADING}1;Asep;{};;L;;;01/02;08\n", nik(24)));
    let report = desk.apply(format!("{HEADING}1;Ujang;{};;L;;;01/02;08\n", nik(24)));
    assert_eq!((counts(&report), noticed(&report)), ((0, 0, 1, 0), vec![(2, "nama_berbeda")]));
    let same = desk.apply(format!("{HEADING}1;UJANG;{};;L;;Jl. A 1;01/02;08\n", nik(24)));
    assert_eq!((counts(&same), noticed(&same)), ((0, 0, 1, 0), vec![]));
}

#[test]
fn types_are_added_and_never_taken_away() {
    let mut desk = Desk::new();
    let row =
        |kinds: &str| format!("{HEADING}1;Asep;{};;L;Garut, 01-01-1950;;01/02;{kinds}\n", nik(7));
    desk.apply(row("08"));
    assert_eq!(counts(&desk.apply(row("PD"))), (0, 0, 1, 0));
    assert_eq!(counts(&desk.apply(row("08"))), (0, 0, 0, 1));
    assert_eq!(value(&desk.found(&nik(7))[0], "kode_jenis"), r#"["08","09"]"#);
}

#[test]
fn every_kind_is_imported_twice_without_a_change() {
    let mut desk = Desk::new();
    for (kind, text) in [
        (
            "keluarga",
            "Nama Kepala Keluarga,No KK,RT,RW\nAsep,3205010101209001,1,2\nUjang,,1,2\n".to_owned(),
        ),
        ("psks", "Nama,Jenis PSKS,Satuan\nAsep,PSM,perorangan\n".to_owned()),
        (
            "psks",
            "Nama Lembaga,Jenis PSKS,Satuan\nKarang Taruna Tunas Mekar,Karang Taruna,badan\n"
                .to_owned(),
        ),
        ("kps", "Nama,Bentuk\nBeras Perelek Melati,kelompok\n".to_owned()),
        ("kegiatan", "Judul,Kode Program,Jenis,Tgl\nRapat,G.1.2,rapat,2/11/2026\n".to_owned()),
        ("kemitraan", "Mitra,Jenis Sumber\nPuskesmas Contoh,pemerintah\n".to_owned()),
        ("layanan", format!("PPKS,Jenis Layanan,Tanggal\n{},pangan,2026-11-02\n", "ab".repeat(16))),
    ] {
        let ask = desk.ask(kind, &text, true);
        let rows = text.lines().count() as u64 - 1;
        let first = desk.node.import_sheet(&ask, &mut Unwatched).unwrap();
        assert_eq!(counts(&first), (0, rows, 0, 0), "{kind}: {:?}", first.refused);
        let second = desk.node.import_sheet(&ask, &mut Unwatched).unwrap();
        assert_eq!(counts(&second), (0, 0, 0, rows), "{kind}");
    }
}

#[test]
fn a_map_names_columns_and_unknown_ones_are_told() {
    let mut desk = Desk::new();
    let mut ask =
        desk.ask("ppks", "Bulan Lahir;Penerima;Warna;Agama;Jns\nx;Asep;biru;y;08\n", true);
    ask.map = Some(desk.file(
        "peta.toml",
        "\"Penerima\" = \"nama\"\n\"Jns\" = \"kode_jenis\"\n\"Bulan Lahir\" = \"\"\n",
    ));
    let report = desk.node.import_sheet(&ask, &mut Unwatched).unwrap();
    assert_eq!(counts(&report), (0, 1, 0, 0));
    let told: Vec<_> =
        report.noticed.iter().map(|it| (it.field.as_str(), it.rule.as_str())).collect();
    assert_eq!(told[..2], [("C", "kolom_tidak_dikenal"), ("D", "dilarang_hukum")]);
    ask.map = Some(desk.file("peta.toml", "\"Penerima\" = \"tinggi_badan\"\n"));
    let refused = desk.node.import_sheet(&ask, &mut Unwatched).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::FieldUnknown);
    let long = format!("\"Penerima\" = \"nama\" # {}", ".".repeat(32 << 10));
    for foreign in ["bukan = = toml", &long] {
        ask.map = Some(desk.file("peta.toml", foreign));
        let refused = desk.node.import_sheet(&ask, &mut Unwatched).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::FileForeign);
    }
}

#[test]
fn a_workbook_with_typed_cells_is_imported() {
    use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
    let mut desk = Desk::new();
    let mut book = Workbook::new();
    book.add_worksheet().write(0, 0, "Petunjuk pengisian").unwrap();
    let sheet = book.add_worksheet();
    let day = Format::new().set_num_format("dd/mm/yyyy");
    sheet.merge_range(0, 0, 0, 5, "DAFTAR PPKS", &Format::new()).unwrap();
    for (column, title) in (0..).zip(["Nama", "NIK", "Tgl Lahir", "RT", "RW", "Jenis"]) {
        sheet.write(3, column, title).unwrap();
    }
    for (row, nik) in (4..).zip([3.205_01e15, 3_205_010_101_609_001.0]) {
        sheet.write(row, 0, format!("Orang {row}")).unwrap();
        sheet.write(row, 1, nik).unwrap();
        let born = ExcelDateTime::from_ymd(1960, 1, 1).unwrap();
        sheet.write_with_format(row, 2, born, &day).unwrap();
        sheet.write(row, 3, 1).unwrap();
        sheet.write_formula(row, 4, rust_xlsxwriter::Formula::new("1+1").set_result("2")).unwrap();
        sheet.write(row, 5, 8).unwrap();
    }
    let bytes = book.save_to_buffer().unwrap();
    let report = desk.apply(&bytes);
    assert_eq!(rules(&report), [(5, "nik", "rusak_excel")]);
    assert_eq!(report.new, 1);
    let told: Vec<_> = report.noticed.iter().map(|it| it.rule.as_str()).collect();
    assert!(told.contains(&"lembar_lain"), "{told:?}");
    let found = desk.found("3205010101609001");
    assert_eq!(value(&found[0], "tanggal_lahir"), "1960-01-01");
    assert_eq!(
        (value(&found[0], "rw"), value(&found[0], "kode_jenis")),
        ("02".to_owned(), r#"["08"]"#.to_owned())
    );
    assert_eq!(counts(&desk.apply(&bytes)), (1, 0, 0, 1));
}

#[test]
fn merged_cells_are_named_by_their_range_unless_they_stand_above_the_heading() {
    use rust_xlsxwriter::Format;
    let mut desk = Desk::new();
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let plain = Format::new();
    sheet.merge_range(0, 0, 0, 3, "DAFTAR PPKS", &plain).unwrap();
    for (column, title) in (0..).zip(["Nama", "L/P", "Jenis PPKS", "Alamat", "Warna"]) {
        sheet.write(1, column, title).unwrap();
    }
    for row in 2..6 {
        for (column, text) in (0..).zip([&format!("Orang {row}"), "L", "08"]) {
            sheet.write(row, column, text).unwrap();
        }
    }
    sheet.merge_range(2, 3, 4, 3, "Jl. Satu", &plain).unwrap();
    sheet.merge_range(2, 4, 3, 4, "biru", &plain).unwrap();
    let report = desk.apply(book.save_to_buffer().unwrap());
    assert_eq!(counts(&report), (0, 4, 0, 0));
    let merged: Vec<_> = report
        .noticed
        .iter()
        .filter(|it| it.rule == "sel_gabungan")
        .map(|it| (it.row, it.field.as_str()))
        .collect();
    assert_eq!(merged, [(3, "D3:D5")], "{:?}", report.noticed);
}

/// A row of a name alone, which a later one with a NIK takes the place of, and merged cells in it.
#[test]
fn merged_cells_are_told_though_their_row_is_not_taken() {
    let mut desk = Desk::new();
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, title) in (0..).zip(["Nama", "Warna", "NIK", "L/P", "RT/RW", "Jenis PPKS"]) {
        sheet.write(0, column, title).unwrap();
    }
    sheet.merge_range(1, 0, 1, 1, "Cep", &rust_xlsxwriter::Format::new()).unwrap();
    sheet.write(2, 0, "Cep").unwrap();
    sheet.write(2, 2, nik(43)).unwrap();
    for row in 1..3 {
        for (column, text) in (3..).zip(["L", "01/02", "08"]) {
            sheet.write(row, column, text).unwrap();
        }
    }
    let report = desk.apply(book.save_to_buffer().unwrap());
    assert_eq!(
        (counts(&report), rules(&report)),
        ((1, 1, 0, 0), vec![(2, "", "nama_tanpa_nomor")])
    );
    let told: Vec<_> = report.noticed.iter().map(|it| (it.field.as_str(), it.row)).collect();
    assert_eq!(told.iter().filter(|(field, _)| *field == "A2:B2").count(), 1, "{told:?}");
    assert_eq!(report.warnings, u64::try_from(told.len()).unwrap(), "{told:?}");
}

#[test]
fn signs_that_nobody_sees_are_taken_out_of_cells_and_said_or_refuse_their_row() {
    let mut desk = Desk::new();
    let text = "Nama;NIK;L/P;Alamat;Jenis PPKS\n\
                As\u{ad}ep\u{200b};;L;Jl. Satu;08\n\
                Euis;;P;Jl.\u{202e} Dua;08\n\
                Ujang;;L\u{200f};Jl. Tiga;08\n\
                Otong;;L;Jl. Empat;08\n";
    let report = desk.apply(text);
    assert_eq!(
        rules(&report),
        [(3, "alamat", "huruf_kendali"), (4, "jenis_kelamin", "huruf_kendali")]
    );
    let unseen = report.noticed.iter().filter(|it| it.rule == "huruf_tak_terlihat");
    let unseen: Vec<_> = unseen.map(|it| (it.row, it.field.as_str())).collect();
    assert_eq!(unseen, [(2, "nama")]);
    assert_eq!(value(&desk.found("Asep")[0], "nama"), "Asep");
    assert_eq!(counts(&desk.apply(text)), (2, 0, 0, 2), "the same rows find their records");
}

#[test]
fn a_device_without_the_right_imports_nothing() {
    let mut desk = Desk::new();
    let mut ask = desk.ask("ppks", people(1), true);
    ask.area = "33.01.01.2001".to_owned();
    assert!(desk.node.import_sheet(&ask, &mut Unwatched).is_err());
    ask.area = DESA.to_owned();
    ask.kind = "pasien".to_owned();
    let refused = desk.node.import_sheet(&ask, &mut Unwatched).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::KindUnknown);
}

#[test]
fn letters_in_two_encodings_are_read_as_what_they_are_and_the_rows_are_named() {
    let mut desk = Desk::new();
    let text = [
        "Nama;L/P;Alamat;Jenis PPKS\nJosé;L;Désa;08\nRené;L;Désa;08\n".as_bytes(),
        b"Andr\xe9;L;Jl. Satu;08\n",
    ]
    .concat();
    let report = desk.apply(&text);
    assert_eq!(counts(&report), (0, 3, 0, 0));
    let told: Vec<_> = report
        .noticed
        .iter()
        .filter(|it| it.rule == "huruf_campuran")
        .map(|it| (it.row, it.field.as_str()))
        .collect();
    assert_eq!(told, [(4, "nama")]);
    for name in ["José", "René", "André"] {
        assert_eq!(value(&desk.found(name)[0], "nama"), name);
    }
    assert_eq!(counts(&desk.apply(&text)), (0, 0, 0, 3));
}

#[test]
fn breaks_in_a_cell_of_one_line_become_blanks_and_are_told_and_a_story_keeps_its_own() {
    let mut desk = Desk::new();
    let heading = "Nama;L/P;Alamat;Kondisi;Jenis PPKS\n";
    let row = "\"Asep\nSuryana\";L;\"Jl.\tSatu\";\"satu\ndua\";\"08\n09\"\n";
    let text = format!("{heading}{row}");
    let report = desk.apply(&text);
    assert_eq!(counts(&report), (0, 1, 0, 0), "{:?}", report.refused);
    let told: Vec<_> = report
        .noticed
        .iter()
        .filter(|it| it.rule == "baris_disatukan")
        .map(|it| (it.row, it.field.as_str()))
        .collect();
    assert_eq!(told, [(2, "nama"), (2, "alamat")]);
    let shown = &desk.found("Suryana")[0];
    assert_eq!(value(shown, "nama"), "Asep Suryana");
    assert_eq!(value(shown, "alamat"), "Jl. Satu");
    assert_eq!(value(shown, "kondisi"), "satu\ndua");
    assert_eq!(value(shown, "kode_jenis"), r#"["08","09"]"#);
    assert_eq!(counts(&desk.apply(&text)), (0, 0, 0, 1));
}

#[test]
fn of_rows_with_one_name_those_with_a_number_are_taken_and_the_one_without_is_refused() {
    let bare = "Cep;;;L;;;01/02;08\n".to_owned();
    let own = |serial| format!("Cep;{};;L;;;01/02;08\n", nik(serial));
    let sheet = |rows: &[&String]| {
        let mut text = HEADING.to_owned();
        for (number, row) in (1..).zip(rows) {
            write!(text, "{number};{row}").unwrap();
        }
        text
    };
    let (one, two) = (own(41), own(42));
    for (rows, refused) in
        [([&bare, &one, &two], 2), ([&one, &bare, &two], 3), ([&one, &two, &bare], 4)]
    {
        let mut desk = Desk::new();
        let text = sheet(&rows);
        let dry = desk.import(&text, false).unwrap();
        assert_eq!(rules(&dry), [(refused, "", "nama_tanpa_nomor")]);
        let report = desk.apply(&text);
        assert_eq!((counts(&report), rules(&report)), ((1, 2, 0, 0), rules(&dry)));
        let told = u64::try_from(report.noticed.len()).unwrap();
        assert_eq!(report.warnings, told, "a row that is not taken has no notices");
        assert!(report.noticed.iter().all(|it| it.row != refused));
        let before = desk.root();
        let again = desk.apply(&text);
        assert_eq!((again.new, again.changed, desk.root()), (0, 0, before), "{refused}");
        assert_eq!(again.unchanged + again.refused_by_rule.values().sum::<u64>(), 3);
    }
    // Two rows of a name alone are one and the same thing said twice.
    let mut desk = Desk::new();
    let report = desk.apply(sheet(&[&bare, &bare]));
    assert_eq!(rules(&report), [(3, "", "ganda_dalam_berkas")]);
}
