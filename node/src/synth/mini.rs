//! Twelve records: every kind once and more, and one of each hard case.
//!
//! | record | what is hard about it |
//! |--------|------------------------|
//! | 0 FM   | a retired kecamatan in the NIK, a member of a family |
//! | 1 FM   | the same person again, the name spelled otherwise |
//! | 2 GLDNG | no NIK, no RT and RW |
//! | 3 LUT  | two types, the birth date is not the NIK's |
//! | 4 AT   | older than the type, a child no more, in the family of 0 |
//! | 5 ODHIV | a type that must not be shown, a mistyped NIK |
//! | 6 .. 11 | one each of keluarga, psks, kps, kegiatan (planned), kemitraan, layanan |

use crdt_schema::time::Timestamp;

use super::Edits;
use super::calendar::office;
use super::counts::Sort;
use super::place::{Place, Use};
use super::table::nth;
use super::village::{Filling, Live, Marks, Slot, Village};

/// The place of PSM among the PSKS.
const PSM: usize = 1;

/// The desa with its twelve records, each saved twice more.
pub(super) fn village(place: Place) -> Village {
    let plain = Marks::default();
    let needs = [
        (nth::FM, Marks { retired: true, ..plain }),
        (nth::FM, Marks { double: true, ..plain }),
        (nth::GLDNG, Marks { no_nik: true, nowhere: true, ..plain }),
        (nth::LUT, Marks { second: true, misdated: true, ..plain }),
        (nth::AT, Marks { outside: true, ..plain }),
        (nth::ODHIV, Marks { mistyped: true, ..plain }),
    ];
    let needs = needs.into_iter().map(|(place, marks)| (Sort::Ppks(place), marks));
    let others = [
        Sort::Keluarga,
        Sort::Psks(PSM),
        Sort::Kps,
        Sort::Kegiatan,
        Sort::Kemitraan,
        Sort::Layanan,
    ];
    let all = needs.chain(others.map(|sort| (sort, plain)));
    let slots = (0u32..).zip(all).map(|(number, (sort, marks))| slot(&place, number, sort, marks));
    let slots = slots.collect();
    let filling =
        Filling { records: None, edits: Edits::Exactly(2), disaster: false, deadline: false };
    Village::scheduled(place, slots, &filling)
}

fn slot(place: &Place, number: u32, sort: Sort, marks: Marks) -> Slot {
    let mut frame = place.stream(Use::Frame, number);
    // One a working day from 5 January, so that what refers comes after what it refers to.
    let day = 4 + number / 5 * 7 + number % 5;
    let at: Timestamp = office(&mut frame, day);
    let tied = match sort {
        Sort::Keluarga | Sort::Ppks(nth::AT) => Some(0),
        Sort::Layanan => Some(3),
        Sort::Ppks(_) | Sort::Psks(_) | Sort::Kps | Sort::Kegiatan | Sort::Kemitraan => None,
    };
    let member = (sort == Sort::Keluarga).then_some(4);
    let live = Live { priority: 2, needs: 0b1000_0001, ..Live::default() };
    Slot { sort, number, at, tied, member, marks, live }
}
