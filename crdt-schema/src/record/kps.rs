//! `kps`: a keperangkatan pelayanan sosial, from a burial fund to a WKSBM with its Balai UKS.
//!
//! Programme data in the open; only the people in it and their contacts are personal.

use super::shared::{self, LINE, NAME, PEOPLE, RUPIAH, STORY};
use super::{Check, Field, Kind, TermKind, Transition, ValueType, codes};
use crate::class::FieldClass::{Internal, Personal, Public};

/// The phases, back where a strong network turns passive, and its end.
const TRANSITIONS: &[Transition] = &[
    ("calon", &["dirintis", "pasif", "bubar"]),
    ("dirintis", &["disahkan", "calon", "pasif", "bubar"]),
    ("disahkan", &["dimantapkan", "pasif", "bubar"]),
    ("dimantapkan", &["berkembang", "disahkan", "pasif", "bubar"]),
    ("berkembang", &["dimantapkan", "pasif", "bubar"]),
    ("pasif", &["calon", "dirintis", "disahkan", "dimantapkan", "berkembang", "bubar"]),
    ("bubar", &["calon", "dirintis"]),
];

pub(super) const KPS: Kind = Kind {
    number: 4,
    name: "kps",
    title: "Keperangkatan Pelayanan Sosial",
    help: "Kelompok, lembaga, atau WKSBM di akar rumput, dengan profil dan balainya.",
    holds_person: false,
    fields: FIELDS,
    transitions: TRANSITIONS,
    label: "nama",
    checks: &[
        Check::Needs { field: "tahap", codes: &["disahkan"], needs: &["sk_nomor", "sk_tanggal"] },
        Check::NotFuture { dates: &["tanggal_berdiri", "sk_tanggal"] },
    ],
    derives: &[],
};

const FIELDS: &[Field] = &[
    Field::scalar(1, "nama", Public, NAME)
        .titled("Nama", "Nama kelompok atau lembaga, tanpa nama orang.")
        .required()
        .indexed(TermKind::Name),
    Field::scalar(2, "bentuk", Public, ValueType::Code(&codes::KPS_FORMS))
        .titled("Bentuk", "Usaha kelompok, lembaga, atau WKSBM.")
        .required(),
    Field::scalar(3, "jenis", Public, ValueType::Code(&codes::KPS_TYPES))
        .titled("Jenis", "Jenis kelompok atau lembaga.")
        .also(&["kode_jenis"])
        .indexed(TermKind::Type),
    Field::status(4, "tahap", Public, &codes::KPS_STAGES, "calon")
        .titled("Tahap", "Disahkan memerlukan nomor dan tanggal SK.")
        .also(&["status"]),
    Field::set(5, "bidang", Public, ValueType::Code(&codes::KPS_FIELDS))
        .titled("Bidang", "Boleh lebih dari satu."),
    Field::scalar(6, "tingkat", Public, ValueType::Code(&codes::KPS_LEVELS))
        .titled("Tingkat", "RT, RW, dusun, desa, atau kecamatan."),
    Field::scalar(7, "wksbm", Public, ValueType::Reference("kps"))
        .titled("WKSBM", "WKSBM tempatnya bergabung: id catatan kps."),
    Field::scalar(8, "tanggal_berdiri", Public, ValueType::Date)
        .titled("Tanggal berdiri", "Hari berdirinya."),
    Field::scalar(9, "asal", Public, ValueType::Code(&codes::KPS_ORIGINS))
        .titled("Asal", "Tumbuh alami atau dibentuk."),
    Field::scalar(10, "sk_nomor", Public, NAME)
        .titled("Nomor SK", "Keputusan lurah, kepala desa, atau camat."),
    Field::scalar(11, "sk_tanggal", Public, ValueType::Date)
        .titled("Tanggal SK", "Tanggal keputusan."),
    Field::scalar(12, "sk_pejabat", Public, NAME)
        .titled("Pejabat SK", "Jabatan yang mengesahkan, bukan nama orang."),
    Field::list(13, "pengurus", Personal, 200).titled(
        "Pengurus",
        "Satu baris satu orang: nama, jabatan. Paling sedikit ketua dan sekretaris.",
    ),
    Field::scalar(14, "kontak", Personal, NAME).titled("Kontak", "Telepon atau cara menghubungi."),
    Field::scalar(15, "jumlah_anggota", Internal, PEOPLE)
        .titled("Jumlah anggota", "Anggota sekarang.")
        .measured_in("orang"),
    Field::scalar(16, "balai_alamat", Public, LINE)
        .titled("Alamat balai", "Balai UKS atau tempat berkumpul."),
    Field::scalar(17, "balai_jam", Public, NAME)
        .titled("Jam buka balai", "Seperti Senin-Jumat 08.00-15.00."),
    Field::list(18, "balai_fasilitas", Public, 120)
        .titled("Fasilitas balai", "Yang tersedia di balai."),
    Field::scalar(19, "balai_tanah", Public, ValueType::Code(&codes::LAND_STATES))
        .titled("Status tanah balai", "Milik siapa tanahnya."),
    Field::set(20, "sumber_dana", Internal, ValueType::Code(&codes::FUND_SOURCES))
        .titled("Sumber dana", "Boleh lebih dari satu."),
    Field::scalar(21, "saldo", Internal, RUPIAH)
        .titled("Saldo ringkas", "Saldo terakhir yang diumumkan; bukan pembukuan.")
        .measured_in("Rp"),
    Field::set(22, "program", Public, ValueType::Code(&codes::PROGRAM))
        .titled("Program", "Kode program G yang dijalankan."),
    Field::list(23, "kearifan_lokal", Public, 320)
        .titled("Kearifan lokal", "Kebiasaan setempat, misalnya beras perelek."),
    Field::scalar(24, "profil", Public, STORY)
        .titled("Profil", "Uraian singkat, tanpa nama orang."),
    shared::synthetic(25),
];
