//! What a later save changes: always one field, and always to something else than it held.

use super::Change;
use super::calendar::{Date, day_of, push_digits};
use super::counts::Sort;
use super::fields::{FieldOp, Fields, NEEDS as KEBUTUHAN, STATUS_DONE, kind};
use super::names;
use super::needs::{condition, small, status};
use super::place::Use;
use super::random::Random;
use super::village::{Slot, Village};
use super::works::{members, worth};

use crdt_schema::time::Timestamp;

/// The edit of `slot` that is its `slot.live.edits`-th; `slot` is brought up to date.
pub(super) fn edit(village: &Village, number: u32, slot: &mut Slot, at: Timestamp) -> Change {
    let mut random = village.place.stream(Use::Edits, number);
    // Each edit has its own part of the stream: the first bits of as many streams as there were.
    let key = random.bits() ^ u64::from(slot.live.edits) << 48;
    let mut random = Random::keyed(key);
    let (kind, fields) = match slot.sort {
        Sort::Ppks(_) => (kind::PPKS, ppks(village, number, slot, &mut random)),
        Sort::Keluarga => (kind::KELUARGA, keluarga(village, slot, &mut random)),
        Sort::Psks(_) => (kind::PSKS, psks(slot, at)),
        Sort::Kps => {
            let members = members(slot, slot.live.edits).to_string();
            (kind::KPS, Fields::one("jumlah_anggota", FieldOp::Put, members))
        }
        Sort::Kegiatan => (kind::KEGIATAN, kegiatan(slot, &mut random)),
        Sort::Kemitraan => (kind::KEMITRAAN, money(slot)),
        Sort::Layanan => (kind::LAYANAN, layanan(slot, &mut random)),
    };
    village.change(number, kind, at, &mut random, fields)
}

/// Of 72 edits 15 move the status, 2 put a number or name right, the rest is the daily work.
fn ppks(village: &Village, number: u32, slot: &mut Slot, random: &mut Random) -> Fields {
    match random.weighted(&[15, 2, 20, 12, 12, 11]) {
        0 if slot.live.status < STATUS_DONE => {
            slot.live.status += 1;
            Fields::one("status_penanganan", FieldOp::Put, status(slot.live.status))
        }
        1 if !slot.live.corrected => {
            slot.live.corrected = true;
            correction(village, number, slot)
        }
        2 => needs(slot, random),
        3 => {
            slot.live.priority = slot.live.priority % 3 + 1;
            Fields::one("prioritas", FieldOp::Put, small(slot.live.priority.into()))
        }
        4 => {
            slot.live.decile = slot.live.decile % 10 + 1;
            Fields::one("dtsen_desil", FieldOp::Put, small(slot.live.decile.into()))
        }
        _ => Fields::one("alamat", FieldOp::Put, moved(village, slot, random)),
    }
}

/// One need more, or one less when it was asked already; never none at all.
fn needs(slot: &mut Slot, random: &mut Random) -> Fields {
    let bit = random.place(KEBUTUHAN.len());
    let mask = 1u16 << bit;
    let code = KEBUTUHAN.get(bit).copied().unwrap_or_default();
    let removes = slot.live.needs & mask != 0 && slot.live.needs != mask;
    if removes {
        slot.live.needs &= !mask;
        return Fields::one("kebutuhan", FieldOp::Remove, code);
    }
    if slot.live.needs & mask == 0 {
        slot.live.needs |= mask;
        return Fields::one("kebutuhan", FieldOp::Add, code);
    }
    // The one need there is stays; another joins it.
    let other = (bit + 1) % KEBUTUHAN.len();
    slot.live.needs |= 1 << other;
    Fields::one("kebutuhan", FieldOp::Add, KEBUTUHAN.get(other).copied().unwrap_or_default())
}

/// A mistyped NIK put right, a missing one found, or a name spelled as on the card.
fn correction(village: &Village, number: u32, slot: &Slot) -> Fields {
    let mut right = slot.clone();
    (right.marks.mistyped, right.marks.twin) = (false, false);
    let before = number.checked_sub(1).and_then(|it| Some((it, village.slot(it)?)));
    if slot.marks.double
        && let Some((number, first)) = before
    {
        return Fields::one("nama", FieldOp::Put, village.person(number, first).name);
    }
    let person = village.person(number, &right);
    if slot.marks.twin {
        return Fields::one("nama", FieldOp::Put, person.name);
    }
    if slot.marks.no_nik || slot.marks.mistyped {
        Fields::one("nik", FieldOp::Put, person.nik)
    } else {
        Fields::one("nama", FieldOp::Put, names::twin(&person.name))
    }
}

/// Another house: numbers above those of first addresses, a new one for each edit.
fn moved(village: &Village, slot: &Slot, random: &mut Random) -> String {
    let mut text = village.place.address(random);
    text.truncate(text.rfind(' ').map_or(0, |space| space + 1));
    push_digits(&mut text, 181 + u32::from(slot.live.edits), 3);
    text
}

fn keluarga(village: &Village, slot: &Slot, random: &mut Random) -> Fields {
    if random.chance(6_000) {
        return Fields::one("alamat", FieldOp::Put, moved(village, slot, random));
    }
    let visit = slot.live.edits;
    let text = format!("{}; kunjungan ke-{visit}", condition(random));
    Fields::one("kondisi", FieldOp::Put, text)
}

fn psks(slot: &Slot, at: Timestamp) -> Fields {
    // Two confirmations on one day would be the same value: the year tells them apart no better,
    // so every other edit asks whether they are still active.
    if slot.live.edits.is_multiple_of(2) {
        return Fields::one("terakhir_dikonfirmasi", FieldOp::Put, Date::of_day(day_of(at)).iso());
    }
    let active = slot.live.edits % 4 == 3;
    Fields::one("status", FieldOp::Put, if active { "aktif" } else { "tidak_aktif" })
}

fn kegiatan(slot: &mut Slot, random: &mut Random) -> Fields {
    if slot.live.status == 0 {
        slot.live.status = 1;
        return Fields::one("status", FieldOp::Put, "terlaksana");
    }
    let edits = slot.live.edits;
    if random.chance(5_000) {
        let people = 46 + u32::from(edits);
        return Fields::one("peserta_p", FieldOp::Put, people.to_string());
    }
    let text = format!("Catatan ke-{edits}: tindak lanjut dibahas pada pertemuan berikutnya.");
    Fields::one("hasil", FieldOp::Put, text)
}

fn money(slot: &Slot) -> Fields {
    Fields::one("nilai_rp", FieldOp::Put, worth(slot, slot.live.edits).to_string())
}

fn layanan(slot: &Slot, random: &mut Random) -> Fields {
    if random.chance(4_000) {
        return money(slot);
    }
    let visit = slot.live.edits;
    Fields::one("hasil", FieldOp::Put, format!("kunjungan lanjutan ke-{visit} terlaksana"))
}
