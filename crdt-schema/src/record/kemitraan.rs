//! `kemitraan`: a partnership, what was promised and what came.
//!
//! A partner may be one person; then the name is personal and has a field of its own.

use super::shared::{self, NAME, RUPIAH};
use super::{Check, Field, Kind, TermKind, Transition, ValueType, codes};
use crate::class::FieldClass::{Internal, Personal, Public};

const TRANSITIONS: &[Transition] = &[
    ("calon", &["dijajaki", "berjalan", "batal"]),
    ("dijajaki", &["berjalan", "calon", "batal"]),
    ("berjalan", &["berakhir", "batal"]),
    ("berakhir", &["berjalan", "dijajaki"]),
    ("batal", &["calon", "dijajaki"]),
];

pub(super) const KEMITRAAN: Kind = Kind {
    number: 6,
    name: "kemitraan",
    title: "Kemitraan",
    help: "Kerja sama dengan pihak yang mendukung, dengan janji dan kenyataannya.",
    holds_person: false,
    fields: FIELDS,
    transitions: TRANSITIONS,
    label: "mitra",
    checks: &[
        Check::AnyOf { fields: &["mitra", "nama_perorangan"] },
        Check::InOrder { earlier: "mulai", later: "berakhir" },
    ],
    derives: &[],
};

const FIELDS: &[Field] = &[
    Field::scalar(1, "mitra", Public, NAME)
        .titled("Mitra", "Nama lembaga. Untuk orang, isi nama_perorangan.")
        .indexed(TermKind::Name),
    Field::scalar(2, "nama_perorangan", Personal, NAME)
        .titled("Nama perorangan", "Bila mitranya seorang.")
        .indexed(TermKind::Name),
    Field::scalar(3, "jenis_sumber", Public, ValueType::Code(&codes::PARTNER_TYPES))
        .titled("Jenis sumber", "Dari mana mitra berasal.")
        .also(&["jenis"])
        .required()
        .indexed(TermKind::Type),
    Field::scalar(4, "skala", Public, ValueType::Code(&codes::PARTNER_SCALES))
        .titled("Skala", "Lokal, regional, atau nasional."),
    Field::set(5, "bentuk", Public, ValueType::Code(&codes::SUPPORT_FORMS))
        .titled("Bentuk dukungan", "Boleh lebih dari satu."),
    Field::status(6, "status", Public, &codes::PARTNER_STATES, "calon")
        .titled("Status", "Calon, dijajaki, berjalan, berakhir, atau batal."),
    Field::scalar(7, "naskah_nomor", Public, NAME).titled("Nomor naskah", "Nomor MoU atau surat."),
    Field::scalar(8, "mulai", Public, ValueType::Date).titled("Mulai", "Awal berlakunya."),
    Field::scalar(9, "berakhir", Public, ValueType::Date).titled("Berakhir", "Akhir berlakunya."),
    Field::scalar(10, "narahubung", Personal, NAME).titled("Narahubung", "Nama dan kontak."),
    Field::list(11, "komitmen", Internal, 320)
        .titled("Komitmen", "Satu baris satu janji: apa, berapa, kapan."),
    Field::list(12, "realisasi", Internal, 320)
        .titled("Realisasi", "Satu baris satu kenyataan: apa, berapa, kapan."),
    Field::scalar(13, "nilai_rp", Internal, RUPIAH)
        .titled("Nilai", "Nilai seluruh komitmen.")
        .measured_in("Rp"),
    Field::scalar(14, "kps", Public, ValueType::Reference("kps"))
        .titled("KPS", "KPS atau WKSBM yang bermitra: id catatan kps."),
    shared::synthetic(15),
];
