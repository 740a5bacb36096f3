//! The fields of a case (`ppks`) and of a family with several of them (`keluarga`).

use std::borrow::Cow;

use super::calendar::{Date, YEAR, day_of, push_digits};
use super::counts::Sort;
use super::fields::{Fields, NEEDS as KEBUTUHAN, STATUS};
use super::person::Person;
use super::random::Random;
use super::table::{NEEDS, Need, Unit, nth};
use super::village::{Slot, Village};

/// Why somebody has no NIK.
const NO_NIK: [&str; 4] = ["tidak_punya", "hilang", "belum_terbit", "tidak_bersedia"];

/// Where a case was heard of.
const SOURCES: [&str; 5] = ["rt_rw", "relawan", "musdes", "warga", "data_dtsen"];

const KINSHIP_MEN: [&str; 4] = ["kepala", "suami", "orang_tua", "famili_lain"];
const KINSHIP_WOMEN: [&str; 4] = ["kepala", "istri", "orang_tua", "famili_lain"];

const STORIES: [&str; 6] = [
    "Dilaporkan ketua RT setelah beberapa hari tidak terlihat keluar rumah",
    "Datang sendiri ke kantor desa meminta bantuan",
    "Ditemukan saat kunjungan rutin PSM",
    "Diajukan keluarga melalui musyawarah desa",
    "Dirujuk kader posyandu",
    "Tercatat dalam pemutakhiran data tahunan",
];
const SITUATIONS: [&str; 6] = [
    "tinggal bersama kerabat yang juga kekurangan",
    "penghasilan tidak tetap dan habis untuk makan sehari-hari",
    "tidak mempunyai dokumen kependudukan yang lengkap",
    "butuh pendampingan untuk berobat secara teratur",
    "rumah bocor dan belum mempunyai jamban",
    "pernah menerima bantuan tetapi sudah berhenti",
];
const WALLS: [&str; 4] = ["bilik bambu", "tembok belum diplester", "papan kayu", "tembok"];
const FLOORS: [&str; 3] = ["tanah", "semen", "keramik lama"];
const WATER: [&str; 4] = ["sumur gali", "mata air", "air ledeng", "menumpang tetangga"];

/// Everything the form asks when a case is first saved.
pub(super) fn ppks(village: &Village, number: u32, slot: &Slot, random: &mut Random) -> Fields {
    let mut fields = Fields::new();
    let Sort::Ppks(place) = slot.sort else { return fields };
    let Some(need) = NEEDS.get(place) else { return fields };
    let person = village.person(number, slot);
    let claimed = Date::of_day(day_of(slot.at));
    fields.put("unit", unit(need));
    fields.put("kode_jenis", if slot.marks.second { "LUT;PD" } else { need.code });
    if need.unit == Unit::Komunitas {
        fields.put("nama", format!("Komunitas adat Kampung {}", village.place.kampung(random)));
        fields.put("alasan_tanpa_nik", "bukan_perorangan");
    } else {
        who(&mut fields, village, slot, need, person, random);
    }
    residence(&mut fields, village, slot, random);
    fields.put("kebutuhan", needs_text(slot.live.needs));
    fields.put("status_penanganan", status(slot.live.status));
    fields.put("prioritas", small(slot.live.priority.into()));
    if slot.live.decile > 0 {
        fields.put("dtsen_status", "terdaftar");
        fields.put("dtsen_desil", small(slot.live.decile.into()));
    } else {
        fields.put("dtsen_status", "belum_dicek");
    }
    if random.chance(6_000) {
        fields.put("kondisi", condition(random));
    }
    fields.put("kasus", format!("{}; {}.", random.pick(&STORIES), random.pick(&SITUATIONS)));
    fields.put("sumber_data", random.pick(&SOURCES));
    fields.put("tanggal_pendataan", claimed.iso());
    fields.put("dasar_pemrosesan", "tugas_publik");
    fields.put("sintetis", "ya");
    fields
}

/// Name, numbers, sex and birth.
fn who(
    fields: &mut Fields,
    village: &Village,
    slot: &Slot,
    need: &Need,
    person: Person,
    random: &mut Random,
) {
    let child = YEAR - person.birth.year <= 18;
    fields.put("nama", person.name);
    if slot.marks.no_nik {
        fields.put("alasan_tanpa_nik", random.pick(&NO_NIK));
    } else {
        fields.put("nik", person.nik);
    }
    let family = slot.tied.and_then(|head| Some((head, village.slot(head)?)));
    match family {
        Some((head, slot)) => fields.put("no_kk", village.person(head, slot).kk),
        None if slot.marks.no_nik => {}
        None => fields.put("no_kk", person.kk),
    }
    fields.put("jenis_kelamin", if person.man { "L" } else { "P" });
    fields.put("tanggal_lahir", person.birth.iso());
    fields.put("hubungan_keluarga", kinship(need, child, family.is_some(), person.man, random));
    if child {
        guardian(fields, village, random);
    }
    if matches!(need.code, "PD" | "ADK") || slot.marks.second {
        fields.put(
            "cara_komunikasi",
            random.pick(&["lisan", "isyarat", "tulisan", "lewat_pendamping"]),
        );
    }
}

fn kinship(need: &Need, child: bool, inside: bool, man: bool, random: &mut Random) -> &'static str {
    match (child, need.unit, inside) {
        (true, ..) => "anak",
        (_, Unit::Keluarga, _) => "kepala",
        (_, _, true) => "famili_lain",
        _ => random.pick(if man { &KINSHIP_MEN } else { &KINSHIP_WOMEN }),
    }
}

/// A child has somebody who speaks for it, or a reason why nobody does.
fn guardian(fields: &mut Fields, village: &Village, random: &mut Random) {
    if random.chance(9_000) {
        let year = random.between(1_955, 1_995);
        let man = random.chance(4_000);
        fields.put("wali", super::names::person(random, village.place.names, man, year));
    } else {
        fields.put("alasan_wali", "belum ada wali yang dapat dihubungi");
    }
}

fn residence(fields: &mut Fields, village: &Village, slot: &Slot, random: &mut Random) {
    fields.put("alamat", village.place.address(random));
    let (rt, rw) = neighbourhood(village, slot, random);
    fields.put("rt", rt);
    fields.put("rw", rw);
}

/// Two digits each; a disaster strikes one RW.
fn neighbourhood(
    village: &Village,
    slot: &Slot,
    random: &mut Random,
) -> (Cow<'static, str>, Cow<'static, str>) {
    let rt = random.between(1, village.place.rt_each);
    let rw = random.between(1, village.place.rw);
    if slot.marks.nowhere {
        return ("-".into(), "-".into());
    }
    let struck = slot.sort == Sort::Ppks(nth::KBA);
    (two_digits(rt), two_digits(if struck { 1 } else { rw }))
}

/// As RT and RW are written.
fn two_digits(value: u32) -> Cow<'static, str> {
    let mut text = String::with_capacity(2);
    push_digits(&mut text, value, 2);
    text.into()
}

/// A family two of whose members are cases.
pub(super) fn keluarga(village: &Village, slot: &Slot, random: &mut Random) -> Fields {
    let mut fields = Fields::new();
    let pair = slot.tied.zip(slot.member);
    let Some((head, member)) = pair else { return fields };
    let Some(case) = village.slot(head) else { return fields };
    let person = village.person(head, case);
    fields.put("no_kk", person.kk);
    fields.put("kepala", person.name.clone());
    if let Some(other) = village.slot(member) {
        let other = village.person(member, other).name;
        fields.put("anggota", format!("{}, kepala keluarga;{other}, anggota", person.name));
    }
    fields.put("jumlah_anggota", small(random.triangular(2, 7) as usize));
    residence(&mut fields, village, case, random);
    fields.put("kondisi", condition(random));
    fields.put("sumber_data", random.pick(&SOURCES));
    fields.put("tanggal_pendataan", Date::of_day(day_of(slot.at)).iso());
    fields.put("sintetis", "ya");
    fields
}

/// House and water, as a visitor writes them down.
pub(super) fn condition(random: &mut Random) -> String {
    let (walls, floor, water) = (random.pick(&WALLS), random.pick(&FLOORS), random.pick(&WATER));
    format!("dinding {walls}, lantai {floor}, air {water}")
}

const fn unit(need: &Need) -> &'static str {
    match need.unit {
        Unit::Orang => "orang",
        Unit::Keluarga => "keluarga",
        Unit::Komunitas => "komunitas",
    }
}

/// The state with this place.
pub(super) fn status(place: u8) -> &'static str {
    STATUS.get(usize::from(place)).copied().unwrap_or("terdata")
}

/// The codes whose bits are set, apart by semicolons.
fn needs_text(needs: u16) -> String {
    let mut text = String::with_capacity(40);
    for (bit, code) in KEBUTUHAN.iter().enumerate() {
        if needs >> bit & 1 == 1 {
            if !text.is_empty() {
                text.push(';');
            }
            text.push_str(code);
        }
    }
    text
}

/// A number below ten without an allocation.
pub(super) fn small(value: usize) -> &'static str {
    const DIGITS: [&str; 11] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];
    DIGITS.get(value).copied().unwrap_or("0")
}
