//! `psks`: a person or body that helps.
//!
//! A body's name is public; a volunteer's is a person's, so there is a field for each.

use super::shared::{self, LINE, NAME, PEOPLE};
use super::{Check, Field, Kind, TermKind, Transition, ValueType, codes};
use crate::class::FieldClass::{Internal, Personal, Public, Tally};

const TRANSITIONS: &[Transition] = &[
    ("calon", &["aktif", "berhenti"]),
    ("aktif", &["tidak_aktif", "berhenti"]),
    ("tidak_aktif", &["aktif", "berhenti"]),
    ("berhenti", &["aktif", "calon"]),
];

pub(super) const PSKS: Kind = Kind {
    number: 3,
    name: "psks",
    title: "Potensi dan Sumber Kesejahteraan Sosial",
    help: "Orang, keluarga, atau lembaga yang membantu.",
    holds_person: true,
    fields: FIELDS,
    transitions: TRANSITIONS,
    label: "nama",
    checks: &[
        Check::AnyOf { fields: &["nama", "nama_lembaga"] },
        Check::Needs { field: "unit", codes: &["badan"], needs: &["nama_lembaga"] },
        Check::Needs { field: "unit", codes: &["perorangan"], needs: &["nama"] },
        Check::NikAgrees { nik: "nik", birth: "tanggal_lahir", sex: "jenis_kelamin" },
        Check::NotFuture { dates: &["tanggal_lahir", "terakhir_dikonfirmasi"] },
        Check::InOrder { earlier: "mulai_tugas", later: "akhir_tugas" },
    ],
    derives: &[],
};

const FIELDS: &[Field] = &[
    Field::set(1, "kode_jenis", Tally, ValueType::Code(&codes::PSKS_TYPES))
        .titled("Jenis PSKS", "Nomor 01-12 atau singkatannya.")
        .also(&["jenis"])
        .required()
        .indexed(TermKind::Type),
    Field::scalar(2, "unit", Public, ValueType::Code(&codes::PSKS_UNITS))
        .titled("Satuan", "Perorangan, keluarga, atau lembaga."),
    Field::scalar(3, "nama", Personal, NAME)
        .titled("Nama", "Nama orang atau keluarga.")
        .indexed(TermKind::Name),
    Field::scalar(4, "nama_lembaga", Public, NAME)
        .titled("Nama lembaga", "Nama lembaga, tanpa nama orang.")
        .indexed(TermKind::Name),
    Field::scalar(5, "wilayah_cakupan", Public, ValueType::Code(&codes::SCOPES))
        .titled("Wilayah cakupan", "Seberapa luas bekerja."),
    Field::status(6, "status", Tally, &codes::PSKS_STATES, "aktif")
        .titled("Status", "Calon, aktif, tidak aktif, atau berhenti.")
        .also(&["aktif"]),
    shared::nik(7).titled("NIK", "16 angka, hanya bila diperlukan."),
    shared::sex(8),
    Field::scalar(9, "tanggal_lahir", Personal, ValueType::Date)
        .titled("Tanggal lahir", "Seperti 17/08/1987."),
    Field::scalar(10, "pendidikan", Personal, ValueType::Code(&codes::EDUCATIONS))
        .titled("Pendidikan", "Ijazah terakhir."),
    Field::list(11, "pelatihan", Personal, 200)
        .titled("Pelatihan", "Pelatihan yang pernah diikuti."),
    Field::scalar(12, "no_sk", Personal, NAME).titled("Nomor SK", "Surat keputusan pengangkatan."),
    Field::scalar(13, "mulai_tugas", Personal, ValueType::Date)
        .titled("Mulai tugas", "Awal masa tugas."),
    Field::scalar(14, "akhir_tugas", Personal, ValueType::Date)
        .titled("Akhir tugas", "Akhir masa tugas."),
    Field::scalar(15, "kontak", Personal, NAME).titled("Kontak", "Telepon atau cara menghubungi."),
    shared::rw(16),
    shared::rt(17),
    shared::address(18),
    Field::scalar(19, "bentuk_hukum", Public, ValueType::Code(&codes::LEGAL_FORMS))
        .titled("Bentuk hukum", "Untuk lembaga."),
    Field::scalar(20, "no_legalitas", Public, NAME)
        .titled("Nomor legalitas", "Akta atau tanda daftar."),
    Field::list(21, "pengurus", Personal, 200)
        .titled("Pengurus", "Satu baris satu orang: nama, jabatan."),
    Field::scalar(22, "jumlah_anggota", Internal, PEOPLE)
        .titled("Jumlah anggota", "Anggota lembaga.")
        .measured_in("orang"),
    Field::set(23, "bidang_layanan", Public, ValueType::Code(&codes::NEEDS))
        .titled("Bidang layanan", "Kebutuhan yang dapat dilayani."),
    Field::scalar(24, "kapasitas", Public, PEOPLE)
        .titled("Kapasitas", "Orang yang dapat dilayani.")
        .measured_in("orang"),
    Field::scalar(25, "jumlah_dilayani", Internal, PEOPLE)
        .titled("Jumlah dilayani", "Orang yang sedang dilayani.")
        .measured_in("orang"),
    Field::scalar(26, "akreditasi", Public, ValueType::Code(&codes::ACCREDITATIONS))
        .titled("Akreditasi", "Untuk LKS."),
    Field::scalar(27, "berlaku_sampai", Public, ValueType::Date)
        .titled("Berlaku sampai", "Akhir masa akreditasi atau izin."),
    Field::scalar(28, "terakhir_dikonfirmasi", Personal, ValueType::Date)
        .titled("Terakhir dikonfirmasi", "Hari data ini terakhir dipastikan."),
    Field::list(29, "keahlian", Personal, 120).titled("Keahlian", "Yang dapat dikerjakan."),
    Field::scalar(30, "ketersediaan", Personal, ValueType::Code(&codes::AVAILABILITIES))
        .titled("Ketersediaan", "Kapan dapat membantu."),
    Field::scalar(31, "persetujuan_publikasi", Internal, ValueType::Bool)
        .titled("Boleh diumumkan", "Ya bila kontak boleh diperlihatkan kepada umum."),
    Field::scalar(32, "catatan", Personal, LINE).titled("Catatan", "Hal lain yang perlu."),
    shared::legal_basis(33, "persetujuan"),
    shared::consent_proof(34),
    shared::retention(35),
    shared::synthetic(36),
];
