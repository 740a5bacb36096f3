//! `kegiatan`: an activity. Its programme code is compulsory: that is how reports follow the
//! programme.

use super::shared::{self, LINE, NAME, PEOPLE, RUPIAH, STORY};
use super::{Check, Field, Kind, TermKind, Transition, ValueType, codes};
use crate::class::FieldClass::{Internal, Personal, Public};

const TRANSITIONS: &[Transition] =
    &[("rencana", &["terlaksana", "batal"]), ("terlaksana", &["rencana"]), ("batal", &["rencana"])];

pub(super) const KEGIATAN: Kind = Kind {
    number: 5,
    name: "kegiatan",
    title: "Kegiatan",
    help: "Satu kegiatan WKSBM, KPS, atau instansi, dengan kode programnya.",
    holds_person: false,
    fields: FIELDS,
    transitions: TRANSITIONS,
    label: "judul",
    checks: &[Check::PartOf { part: "peserta_disabilitas", whole: &["peserta_l", "peserta_p"] }],
    derives: &[],
};

const FIELDS: &[Field] = &[
    Field::scalar(1, "judul", Public, LINE)
        .titled("Judul", "Nama kegiatan, tanpa nama orang.")
        .required()
        .indexed(TermKind::Name),
    Field::scalar(2, "kode_program", Public, ValueType::Code(&codes::PROGRAM))
        .titled("Kode program", "Kode G.x.y, misalnya G.5.1.4.")
        .required()
        .indexed(TermKind::Type),
    Field::scalar(3, "jenis", Public, ValueType::Code(&codes::ACTIVITY_TYPES))
        .titled("Jenis", "Jenis kegiatan.")
        .required(),
    Field::status(4, "status", Public, &codes::ACTIVITY_STATES, "rencana")
        .titled("Status", "Rencana, terlaksana, atau batal."),
    Field::scalar(5, "tanggal", Public, ValueType::Date)
        .titled("Tanggal", "Hari pelaksanaan.")
        .required(),
    Field::scalar(6, "durasi", Public, ValueType::Int { min: 1, max: 1000 })
        .titled("Durasi", "Lama kegiatan.")
        .measured_in("jam"),
    Field::scalar(7, "tempat", Public, LINE)
        .titled("Tempat", "Tempat kegiatan, bukan rumah orang."),
    Field::scalar(8, "jenis_penyelenggara", Public, ValueType::Code(&codes::ORGANISER_TYPES))
        .titled("Jenis penyelenggara", "WKSBM, KPS, atau instansi."),
    Field::scalar(9, "penyelenggara", Public, NAME)
        .titled("Penyelenggara", "Nama lembaga, bukan nama orang."),
    Field::scalar(10, "kps", Public, ValueType::Reference("kps"))
        .titled("KPS", "Penyelenggara sebagai catatan: id kps."),
    Field::scalar(11, "peserta_l", Public, PEOPLE)
        .titled("Peserta laki-laki", "Jumlah.")
        .measured_in("orang"),
    Field::scalar(12, "peserta_p", Public, PEOPLE)
        .titled("Peserta perempuan", "Jumlah.")
        .measured_in("orang"),
    Field::scalar(13, "peserta_disabilitas", Public, PEOPLE)
        .titled("Peserta disabilitas", "Jumlah, termasuk dalam peserta.")
        .measured_in("orang"),
    Field::list(14, "daftar_hadir", Personal, 200)
        .titled("Daftar hadir", "Bila perlu: satu baris satu orang."),
    Field::scalar(15, "materi", Public, STORY).titled("Materi", "Yang disampaikan."),
    Field::scalar(16, "hasil", Internal, STORY).titled("Hasil", "Yang dicapai, tanpa nama orang."),
    Field::list(17, "tindak_lanjut", Personal, 320)
        .titled("Tindak lanjut", "Satu baris satu hal: apa, siapa, kapan."),
    Field::scalar(18, "biaya", Internal, RUPIAH)
        .titled("Biaya", "Biaya seluruhnya.")
        .measured_in("Rp"),
    Field::set(19, "sumber_dana", Internal, ValueType::Code(&codes::FUND_SOURCES))
        .titled("Sumber dana", "Boleh lebih dari satu."),
    Field::set(20, "berkas_materi", Public, ValueType::Hash)
        .titled("Berkas materi", "Sidik BLAKE3 leaflet, brosur, paparan."),
    Field::set(21, "dokumen", Personal, ValueType::Hash)
        .titled("Dokumen", "Sidik BLAKE3 daftar hadir, foto, berita acara."),
    shared::synthetic(22),
];
