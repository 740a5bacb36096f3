//! Fields several kinds have, each at the number its kind gives it.

use super::field::LINE_LETTERS_MAX;
use super::{Field, TermKind, ValueType, codes};
use crate::class::FieldClass::{Internal, Personal, Public, Specific, Tally};

/// Letters of a name.
pub(super) const NAME: ValueType = ValueType::Text { max_letters: 160 };
/// Letters of one line.
pub(super) const LINE: ValueType = ValueType::Text { max_letters: LINE_LETTERS_MAX };
/// Letters of a story: two pages.
pub(super) const STORY: ValueType = ValueType::Text { max_letters: 4096 };
/// Rupiah, up to the budget of a province.
pub(super) const RUPIAH: ValueType = ValueType::Int { min: 0, max: 100_000_000_000_000 };
/// Members, participants: nobody counts more than a kabupaten.
pub(super) const PEOPLE: ValueType = ValueType::Int { min: 0, max: 5_000_000 };

pub(super) const fn nik(number: u16) -> Field {
    Field::scalar(number, "nik", Personal, ValueType::Nik)
        .titled("NIK", "16 angka dari KTP atau KK. Bila tidak ada, isi alasan_tanpa_nik.")
        .also(&["no_nik", "nomor_nik"])
        .indexed(TermKind::Nik)
}

pub(super) const fn no_nik_reason(number: u16) -> Field {
    let reasons = ValueType::Code(&codes::NO_NIK_REASONS);
    Field::scalar(number, "alasan_tanpa_nik", Personal, reasons)
        .titled("Alasan tanpa NIK", "Wajib ada bila NIK kosong.")
}

pub(super) const fn kk(number: u16) -> Field {
    Field::scalar(number, "no_kk", Personal, ValueType::Kk)
        .titled("Nomor KK", "16 angka. Berubah bila kepala keluarga berganti.")
        .also(&["kk", "nomor_kk"])
        .indexed(TermKind::Kk)
}

pub(super) const fn sex(number: u16) -> Field {
    Field::scalar(number, "jenis_kelamin", Tally, ValueType::Code(&codes::SEXES))
        .titled("Jenis kelamin", "L atau P, seperti di kartu.")
        .also(&["jk"])
}

pub(super) const fn rw(number: u16) -> Field {
    Field::scalar(number, "rw", Personal, ValueType::RtRw)
        .titled("RW", "Dua angka, atau - bila tidak tahu.")
        .indexed(TermKind::Rt)
}

pub(super) const fn rt(number: u16) -> Field {
    Field::scalar(number, "rt", Personal, ValueType::RtRw)
        .titled("RT", "Dua angka, atau - bila tidak tahu.")
        .indexed(TermKind::Rt)
}

pub(super) const fn hamlet(number: u16) -> Field {
    Field::scalar(number, "dusun", Personal, NAME)
        .titled("Dusun", "Nama dusun atau kampung, terutama bila tanpa RT/RW.")
}

pub(super) const fn address(number: u16) -> Field {
    Field::scalar(number, "alamat", Personal, LINE)
        .titled("Alamat", "Tempat tinggal sekarang, tanpa RT/RW.")
}

pub(super) const fn source(number: u16) -> Field {
    Field::scalar(number, "sumber_data", Internal, ValueType::Code(&codes::SOURCES))
        .titled("Sumber data", "Dari mana data ini didapat.")
        .also(&["sumber"])
}

pub(super) const fn legal_basis(number: u16, basis: &'static str) -> Field {
    Field::scalar(number, "dasar_pemrosesan", Internal, ValueType::Code(&codes::LEGAL_BASES))
        .titled("Dasar pemrosesan", "Dasar hukum menyimpan data ini (UU 27/2022 pasal 20).")
        .required()
        .or(basis)
}

pub(super) const fn consent_proof(number: u16) -> Field {
    Field::scalar(number, "bukti_persetujuan", Personal, ValueType::Hash)
        .titled("Bukti persetujuan", "Sidik BLAKE3 berkas persetujuan yang ditandatangani.")
}

pub(super) const fn retention(number: u16) -> Field {
    Field::scalar(number, "retensi_sampai", Personal, ValueType::Date)
        .titled("Disimpan sampai", "Setelah tanggal ini data diusulkan untuk dihapus.")
}

pub(super) const fn decile(number: u16) -> Field {
    Field::scalar(number, "dtsen_desil", Tally, ValueType::Int { min: 1, max: 10 })
        .titled("Desil DTSEN", "1 (termiskin) sampai 10, dari DTSEN.")
}

pub(super) const fn dtsen(number: u16) -> Field {
    Field::scalar(number, "dtsen_status", Specific, ValueType::Code(&codes::DTSEN_STATES))
        .titled("Status DTSEN", "Apakah tercantum dalam DTSEN.")
}

pub(super) const fn aid(number: u16) -> Field {
    Field::set(number, "program", Personal, ValueType::Code(&codes::AID_PROGRAMS))
        .titled("Program bantuan", "Bantuan yang sedang diterima.")
}

pub(super) const fn condition(number: u16) -> Field {
    Field::scalar(number, "kondisi", Specific, STORY)
        .titled("Kondisi", "Keadaan hidup dengan kata sendiri, singkat.")
}

pub(super) const fn house(number: u16) -> Field {
    Field::scalar(number, "kondisi_rumah", Specific, ValueType::Code(&codes::HOUSE_STATES))
        .titled("Kondisi rumah", "Keadaan tempat tinggal.")
}

pub(super) const fn water(number: u16) -> Field {
    Field::scalar(number, "sumber_air", Specific, ValueType::Code(&codes::WATER_SOURCES))
        .titled("Sumber air", "Air untuk minum dan masak.")
}

pub(super) const fn assets(number: u16) -> Field {
    Field::set(number, "aset", Specific, ValueType::Code(&codes::ASSETS))
        .titled("Aset", "Milik keluarga yang bernilai.")
}

pub(super) const fn month(number: u16, name: &'static str, help: &'static str) -> Field {
    Field::scalar(number, name, Tally, ValueType::Month).titled("Bulan", help)
}

/// Marks an invented record, so that nobody takes it for a person.
pub(super) const fn synthetic(number: u16) -> Field {
    Field::scalar(number, "sintetis", Public, ValueType::Bool)
        .titled("Data buatan", "Ya untuk data contoh yang dibuat program.")
}
