//! `layanan`: one service given to a person or family, or one referral made.
//!
//! Whom it served is a link between persons' records, so it is personal; where somebody was
//! referred to says what they have, so it is specific.

use super::shared::{self, LINE, NAME, RUPIAH, STORY};
use super::{Check, Derive, Field, Kind, TermKind, ValueType, codes};
use crate::class::FieldClass::{Personal, Specific, Tally};

pub(super) const LAYANAN: Kind = Kind {
    number: 7,
    name: "layanan",
    title: "Layanan",
    help: "Satu layanan atau rujukan untuk satu catatan ppks.",
    holds_person: true,
    fields: FIELDS,
    transitions: &[],
    label: "pemberi",
    checks: &[
        Check::Needs { field: "golongan", codes: &["rujukan"], needs: &["rujukan_ke"] },
        Check::NotFuture { dates: &["tanggal"] },
    ],
    derives: &[Derive::Month { month: "bulan_layanan", date: "tanggal" }],
};

const FIELDS: &[Field] = &[
    Field::scalar(1, "ppks", Personal, ValueType::Reference("ppks"))
        .titled("PPKS", "Yang dilayani: id catatan ppks.")
        .also(&["ppks_id"])
        .required(),
    Field::scalar(2, "jenis", Tally, ValueType::Code(&codes::NEEDS))
        .titled("Jenis layanan", "Kebutuhan yang dilayani.")
        .also(&["kode_jenis"])
        .required()
        .indexed(TermKind::Type),
    Field::scalar(3, "golongan", Tally, ValueType::Code(&codes::SERVICE_GROUPS))
        .titled("Golongan", "Pencegahan, penanganan, atau rujukan."),
    Field::scalar(4, "pemberi", Personal, NAME)
        .titled("Pemberi", "Lembaga atau orang yang melayani.")
        .indexed(TermKind::Name),
    Field::scalar(5, "tanggal", Personal, ValueType::Date)
        .titled("Tanggal", "Hari layanan diberikan.")
        .required(),
    shared::month(6, "bulan_layanan", "Dihitung dari tanggal layanan."),
    Field::scalar(7, "nilai_rp", Specific, RUPIAH)
        .titled("Nilai", "Nilai bantuan.")
        .measured_in("Rp"),
    Field::scalar(8, "rujukan_ke", Specific, LINE).titled("Rujukan ke", "Lembaga tujuan rujukan."),
    Field::scalar(9, "surat_no", Personal, NAME)
        .titled("Nomor surat", "Surat rujukan atau tanda terima."),
    Field::scalar(10, "hasil", Specific, STORY).titled("Hasil", "Yang terjadi sesudahnya."),
    Field::scalar(11, "bukti_hash", Personal, ValueType::Hash)
        .titled("Bukti", "Sidik BLAKE3 berkas tanda terima."),
    shared::legal_basis(12, "tugas_publik"),
    shared::retention(13),
    shared::synthetic(14),
];
