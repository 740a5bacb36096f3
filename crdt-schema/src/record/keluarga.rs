//! `keluarga`: a family, as its KK has it. Needs of the whole family are `ppks` records of unit
//! `keluarga` with the same KK number.

use super::shared::{self, NAME};
use super::{Check, Derive, Field, Kind, TermKind, ValueType};
use crate::class::FieldClass::Personal;

pub(super) const KELUARGA: Kind = Kind {
    number: 2,
    name: "keluarga",
    title: "Keluarga",
    help: "Satu keluarga menurut KK, dengan keadaan hidupnya.",
    holds_person: true,
    fields: FIELDS,
    transitions: &[],
    label: "kepala",
    checks: &[Check::NotFuture { dates: &["tanggal_pendataan"] }],
    derives: &[Derive::Month { month: "bulan_pendataan", date: "tanggal_pendataan" }],
};

const FIELDS: &[Field] = &[
    Field::scalar(1, "kepala", Personal, NAME)
        .titled("Kepala keluarga", "Nama kepala keluarga seperti di KK.")
        .also(&["nama", "kepala_keluarga"])
        .required()
        .indexed(TermKind::Name),
    shared::kk(2),
    shared::nik(3).titled("NIK kepala", "16 angka dari KTP kepala keluarga."),
    Field::list(4, "anggota", Personal, 200)
        .titled("Anggota", "Satu baris satu orang: nama, hubungan dengan kepala."),
    Field::scalar(5, "jumlah_anggota", Personal, ValueType::Int { min: 1, max: 50 })
        .titled("Jumlah anggota", "Termasuk kepala keluarga.")
        .measured_in("orang"),
    shared::rw(6),
    shared::rt(7),
    shared::hamlet(8),
    shared::address(9),
    shared::condition(10),
    shared::house(11),
    shared::water(12),
    shared::assets(13),
    shared::dtsen(14),
    shared::decile(15),
    shared::aid(16),
    shared::source(17),
    Field::scalar(18, "tanggal_pendataan", Personal, ValueType::Date)
        .titled("Tanggal pendataan", "Hari data dicatat di lapangan."),
    shared::month(19, "bulan_pendataan", "Dihitung dari tanggal pendataan."),
    shared::legal_basis(20, "tugas_publik"),
    shared::consent_proof(21),
    shared::retention(22),
    shared::synthetic(23),
];
