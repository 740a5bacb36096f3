//! The one line about sync: how far what was saved here has come, as receipts prove it.
//!
//! A receipt of a hub names how far it holds each feed of this device. Nothing else is claimed: no
//! receipt, no arrival; a feed written twice, no "all", for a receipt's number does not say which
//! branch; a clock that cannot be right, no hour and no age. What is quarantined is named first, for no
//! receipt ever names it. Nothing here says that two nodes are *equal*: that is a comparison's word, and
//! stands beside the peer it was proved with.

use node::answer::{AreaEntry, Arrived, MemberState, When};

use super::frame::Ground;
use super::said;

/// How a line is to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// All that can be known has arrived.
    Good,
    /// Something is under way.
    Under,
    /// Nothing is known.
    Unknown,
    /// A person must act.
    Bad,
}

impl Tone {
    /// The class of the style sheet.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Good => "baik",
            Self::Under => "jalan",
            Self::Unknown => "diam",
            Self::Bad => "awas",
        }
    }

    /// The word for whoever does not see the colour.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Good => "Sudah sampai",
            Self::Under => "Dalam perjalanan",
            Self::Unknown => "Belum diketahui",
            Self::Bad => "Perlu tindakan",
        }
    }
}

/// The line, and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) tone: Tone,
    pub(super) sentence: String,
    /// Why it says no more, where it could be expected to.
    pub(super) notes: Vec<&'static str>,
    pub(super) steps: Vec<Step>,
}

/// One level above and what it is known to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// `Kecamatan Gunung Jati`.
    pub(super) place: String,
    pub(super) level: String,
    pub(super) code: String,
    pub(super) tone: Tone,
    /// `1.204 dari 1.204 sampai`.
    pub(super) text: String,
}

/// What is known of one level above.
struct Known<'a> {
    area: &'a AreaEntry,
    arrived: Option<&'a Arrived>,
}

impl Known<'_> {
    fn level(&self) -> String {
        said::level(self.area).to_owned()
    }

    fn holds_all(&self) -> bool {
        self.arrived.is_some_and(|at| at.missing == 0)
    }
}

/// The line for a node as it stands.
pub(super) fn line(ground: &Ground) -> Line {
    let levels = levels(ground);
    let forked = is_forked(ground);
    let (tone, sentence) = said_of(ground, &levels, forked);
    Line {
        tone,
        sentence,
        notes: notes(ground, &levels),
        steps: levels.iter().map(|known| step(ground, known, forked)).collect(),
    }
}

/// The levels above, the nearest first, each with the hub that holds most.
fn levels(ground: &Ground) -> Vec<Known<'_>> {
    let best = |area: &AreaEntry| {
        let there = ground.status.arrived.iter().filter(|it| it.at == area.level);
        there.max_by_key(|it| it.held)
    };
    ground.above.iter().map(|area| Known { area, arrived: best(area) }).collect()
}

/// Whether this device's own feed was written twice.
fn is_forked(ground: &Ground) -> bool {
    ground.status.forks.iter().any(|fork| fork.device == ground.status.device)
}

fn said_of(ground: &Ground, levels: &[Known<'_>], forked: bool) -> (Tone, String) {
    let uncounted = ground.status.uncounted;
    if uncounted == 0 {
        return said_of_the_rest(ground, levels, forked, "perubahan");
    }
    let (_, rest) = said_of_the_rest(ground, levels, forked, "perubahan lainnya");
    let count = said::number(uncounted);
    let said = format!(
        "{count} perubahan dari perangkat ini tersimpan tetapi tidak dihitung, lihat peringatan di \
         bawah. {rest}"
    );
    (Tone::Bad, said)
}

/// Of what counts or waits; `of` is what it is called.
fn said_of_the_rest(
    ground: &Ground,
    levels: &[Known<'_>],
    forked: bool,
    of: &str,
) -> (Tone, String) {
    if levels.is_empty() {
        let said = "Simpul ini di tingkat provinsi: tidak ada tingkat di atasnya.";
        return (Tone::Good, said.to_owned());
    }
    let Some(mine) = levels.iter().filter_map(|known| known.arrived).map(|at| at.mine).max() else {
        return (Tone::Unknown, nothing_known(levels, of));
    };
    if mine == 0 && ground.status.uncounted > 0 {
        return (Tone::Bad, "Perubahan lainnya tidak ada.".to_owned());
    }
    if mine == 0 {
        return (Tone::Good, "Perangkat ini belum menyimpan satu perubahan pun.".to_owned());
    }
    if forked {
        let said = "Belum dapat dipastikan perubahan mana yang sudah sampai: \
                    perangkat ini pernah menulis dua cabang. Lihat peringatan di bawah.";
        return (Tone::Bad, said.to_owned());
    }
    let parts = [
        complete(ground, levels, (mine, of)),
        missing(ground, levels, (mine, of)),
        silent(levels, "dari"),
    ];
    let sentence = parts.into_iter().flatten().collect::<Vec<String>>().join("; ");
    let all = levels.iter().all(Known::holds_all);
    (if all { Tone::Good } else { Tone::Under }, format!("{}.", capital(&sentence)))
}

fn nothing_known(levels: &[Known<'_>], of: &str) -> String {
    let above: Vec<String> = levels.iter().map(Known::level).collect();
    format!(
        "Belum diketahui apakah {of} dari perangkat ini sudah sampai di {}: \
         belum ada tanda terima.",
        above.join(", ").replacen(", ", " atau di ", usize::from(above.len() == 2))
    )
}

/// `semua 1.204 perubahan .. sudah sampai di kecamatan dan kabupaten (per 14.05 WIB)`.
fn complete(ground: &Ground, levels: &[Known<'_>], (mine, of): (u64, &str)) -> Option<String> {
    let full: Vec<&Known<'_>> = levels.iter().filter(|known| known.holds_all()).collect();
    let at: Vec<String> = full.iter().map(|known| known.level()).collect();
    let as_of = full.iter().filter_map(|known| known.arrived?.complete_as_of).min();
    let when = ground.trusted_now().and_then(|now| said::near(as_of?, now));
    let when = when.map(|when| format!(" (per {when})")).unwrap_or_default();
    let all = if mine == 1 {
        format!("satu-satunya {of}")
    } else {
        format!("semua {} {of}", said::number(mine))
    };
    (!full.is_empty())
        .then(|| format!("{all} dari perangkat ini sudah sampai di {}{when}", said::joined(&at)))
}

/// `12 belum sampai di kabupaten, yang tertua 3 hari`.
fn missing(ground: &Ground, levels: &[Known<'_>], (mine, of): (u64, &str)) -> Option<String> {
    let mut first = !levels.iter().any(Known::holds_all);
    let mut parts = Vec::new();
    for known in levels {
        let Some(at) = known.arrived.filter(|at| at.missing > 0) else { continue };
        let count = said::number(at.missing);
        let said = if std::mem::take(&mut first) {
            format!("{count} dari {} {of} dari perangkat ini", said::number(mine))
        } else {
            count
        };
        let age = oldest(ground.trusted_now(), at.oldest_missing);
        let age = age.map(|age| format!(", yang tertua {age}")).unwrap_or_default();
        parts.push(format!("{said} belum sampai di {}{age}", known.level()));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Levels that never said anything.
fn silent(levels: &[Known<'_>], from: &str) -> Option<String> {
    let silent = levels.iter().filter(|known| known.arrived.is_none());
    let silent: Vec<String> = silent.map(Known::level).collect();
    (!silent.is_empty()).then(|| format!("{from} {} belum ada tanda terima", said::joined(&silent)))
}

fn oldest(now: Option<When>, oldest: Option<When>) -> Option<String> {
    said::age(oldest?, now?)
}

fn notes(ground: &Ground, levels: &[Known<'_>]) -> Vec<&'static str> {
    let mut notes = Vec::new();
    let status = &ground.status;
    if status.state == MemberState::Provisional {
        notes
            .push("Perangkat ini menunggu pengesahan; perubahannya belum dihitung di tempat lain.");
    }
    if !status.clock.plausible {
        notes.push("Jam perangkat ini tidak masuk akal, jadi waktu tidak disebut.");
    }
    let met = !status.peers.is_empty();
    let by_files = status.peers.iter().all(|peer| peer.address.is_none() && !peer.connected);
    if !levels.is_empty() && met && by_files {
        notes.push(
            "Sejauh ini hanya lewat bundel: tanda terima baru datang bersama bundel berikutnya \
             dari atas.",
        );
    }
    notes
}

fn step(ground: &Ground, known: &Known<'_>, forked: bool) -> Step {
    let count = said::number;
    let (tone, text) = match known.arrived {
        None => (Tone::Unknown, "belum ada tanda terima".to_owned()),
        Some(at) if at.mine == 0 && ground.status.uncounted > 0 => {
            (Tone::Bad, "tidak ada yang dihitung".to_owned())
        }
        Some(at) if at.mine == 0 => (Tone::Unknown, "belum ada yang dikirim".to_owned()),
        Some(_) if forked => (Tone::Bad, "belum dapat dipastikan".to_owned()),
        Some(at) if at.missing == 0 => (Tone::Good, format!("{} perubahan sampai", count(at.held))),
        Some(at) => {
            let text = format!("{} sampai, {} belum", count(at.held), count(at.missing));
            (Tone::Under, text)
        }
    };
    Step {
        place: said::place(known.area),
        level: known.level(),
        code: known.area.area.to_string(),
        tone,
        text,
    }
}

fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::indexing_slicing, reason = "a test that panics is a test that fails")]
    use super::super::testing::{NOW, arrived, by_bundle, connected, desa, fork, hours_ago};
    use super::*;

    fn sentence(ground: &Ground) -> String {
        line(ground).sentence
    }

    #[test]
    fn nothing_known_claims_nothing() {
        let ground = desa();
        let line = line(&ground);
        assert_eq!(line.tone, Tone::Unknown);
        assert_eq!(
            line.sentence,
            "Belum diketahui apakah perubahan dari perangkat ini sudah sampai di kecamatan, \
             kabupaten, provinsi: belum ada tanda terima."
        );
        assert!(line.notes.is_empty());
        assert!(line.steps.iter().all(|step| step.text == "belum ada tanda terima"));
    }

    #[test]
    fn some_levels_hold_all_and_others_not() {
        let mut ground = desa();
        ground.status.arrived = vec![
            arrived("kecamatan", 1_204, 1_204, None),
            arrived("kabupaten", 1_204, 1_192, Some(hours_ago(75))),
        ];
        let line = line(&ground);
        assert_eq!(line.tone, Tone::Under);
        assert_eq!(
            line.sentence,
            "Semua 1.204 perubahan dari perangkat ini sudah sampai di kecamatan (per 14.05 WIB); \
             12 belum sampai di kabupaten, yang tertua 3 hari; \
             dari provinsi belum ada tanda terima."
        );
        assert_eq!(line.steps[1].text, "1.192 sampai, 12 belum");
    }

    #[test]
    fn all_arrived_names_every_level() {
        let mut ground = desa();
        let all = |level| arrived(level, 1_204, 1_204, None);
        ground.status.arrived = vec![all("kecamatan"), all("kabupaten"), all("provinsi")];
        let line = line(&ground);
        assert_eq!(line.tone, Tone::Good);
        assert_eq!(
            line.sentence,
            "Semua 1.204 perubahan dari perangkat ini sudah sampai di kecamatan, kabupaten dan \
             provinsi (per 14.05 WIB)."
        );
    }

    #[test]
    fn nothing_arrived_in_full_says_how_much_of_all() {
        let mut ground = desa();
        ground.status.arrived = vec![
            arrived("kecamatan", 40, 37, Some(hours_ago(5))),
            arrived("kabupaten", 40, 0, Some(hours_ago(30))),
        ];
        assert_eq!(
            sentence(&ground),
            "3 dari 40 perubahan dari perangkat ini belum sampai di kecamatan, yang tertua 5 jam; \
             40 belum sampai di kabupaten, yang tertua 30 jam; \
             dari provinsi belum ada tanda terima."
        );
    }

    #[test]
    fn a_clock_that_cannot_be_right_gives_no_hour_and_no_age() {
        let mut ground = desa();
        ground.status.clock.plausible = false;
        ground.status.arrived =
            vec![arrived("kecamatan", 9, 9, None), arrived("kabupaten", 9, 4, Some(hours_ago(75)))];
        let line = line(&ground);
        assert_eq!(
            line.sentence,
            "Semua 9 perubahan dari perangkat ini sudah sampai di kecamatan; \
             5 belum sampai di kabupaten; dari provinsi belum ada tanda terima."
        );
        assert!(line.notes.iter().any(|note| note.contains("Jam perangkat ini")), "{line:?}");
    }

    #[test]
    fn only_bundles_says_how_receipts_come() {
        let mut ground = desa();
        ground.status.peers = vec![by_bundle(7)];
        assert!(line(&ground).notes.iter().any(|note| note.contains("hanya lewat bundel")));
        ground.status.peers.push(connected(8, Some(true)));
        assert!(line(&ground).notes.is_empty());
    }

    #[test]
    fn a_peer_that_is_equal_does_not_make_anything_arrive() {
        let mut ground = desa();
        ground.status.peers = vec![connected(8, Some(true))];
        assert_eq!(line(&ground).tone, Tone::Unknown);
    }

    #[test]
    fn a_feed_written_twice_is_never_all() {
        let mut ground = desa();
        ground.status.arrived = vec![arrived("kecamatan", 20, 20, None)];
        ground.status.forks = vec![fork(ground.status.device)];
        let line = line(&ground);
        assert_eq!(line.tone, Tone::Bad);
        assert!(line.sentence.starts_with("Belum dapat dipastikan"), "{}", line.sentence);
        assert_eq!(line.steps[0].text, "belum dapat dipastikan");
        // Another device's fork says nothing about ours.
        ground.status.forks = vec![fork(by_bundle(7).device)];
        assert!(sentence(&ground).starts_with("Semua 20"));
    }

    #[test]
    fn what_is_quarantined_is_said_before_what_arrived() {
        let mut ground = desa();
        ground.status.uncounted = 3;
        let first = "3 perubahan dari perangkat ini tersimpan tetapi tidak dihitung, lihat \
                     peringatan di bawah. ";
        let says = |ground: &Ground, rest: &str| {
            let line = line(ground);
            assert_eq!((line.tone, line.sentence), (Tone::Bad, format!("{first}{rest}")));
            line.steps
        };
        let unknown = "Belum diketahui apakah perubahan lainnya dari perangkat ini sudah sampai di \
                       kecamatan, kabupaten, provinsi: belum ada tanda terima.";
        says(&ground, unknown);
        ground.status.arrived = vec![arrived("kecamatan", 0, 0, None)];
        let steps = says(&ground, "Perubahan lainnya tidak ada.");
        assert_eq!(steps[0].text, "tidak ada yang dihitung");
        let all = |level| arrived(level, 40, 40, None);
        ground.status.arrived = ["kecamatan", "kabupaten", "provinsi"].map(all).to_vec();
        let all = "Semua 40 perubahan lainnya dari perangkat ini sudah sampai di kecamatan, kabupaten \
                   dan provinsi (per 14.05 WIB).";
        says(&ground, all);
    }

    #[test]
    fn an_empty_desk_and_a_single_save_are_said_as_such() {
        let mut ground = desa();
        ground.status.arrived = vec![arrived("kecamatan", 0, 0, None)];
        assert_eq!(sentence(&ground), "Perangkat ini belum menyimpan satu perubahan pun.");
        ground.status.arrived = vec![arrived("kecamatan", 1, 1, None)];
        assert!(sentence(&ground).starts_with("Satu-satunya perubahan dari perangkat ini sudah"));
    }

    #[test]
    fn of_two_hubs_of_a_level_the_one_that_holds_more_counts() {
        let mut ground = desa();
        ground.status.arrived = vec![
            arrived("kecamatan", 10, 2, Some(hours_ago(9))),
            arrived("kecamatan", 10, 10, None),
        ];
        assert!(sentence(&ground).starts_with("Semua 10 perubahan"), "{}", sentence(&ground));
    }

    #[test]
    fn another_day_is_named() {
        let mut ground = desa();
        ground.status.arrived = vec![arrived("kecamatan", 3, 3, None)];
        ground.now = When(crdt_schema::time::Timestamp(NOW + 4 * 86_400_000));
        let said = sentence(&ground);
        assert!(said.contains("(per 24 November 2026 pukul 14.05 WIB)"), "{said}");
    }

    #[test]
    fn the_province_has_nobody_above() {
        let mut ground = desa();
        ground.above.clear();
        assert!(sentence(&ground).contains("tidak ada tingkat di atasnya"));
    }

    #[test]
    fn a_device_that_waits_says_so() {
        let mut ground = desa();
        ground.status.state = MemberState::Provisional;
        assert!(line(&ground).notes.iter().any(|note| note.contains("menunggu pengesahan")));
    }
}
