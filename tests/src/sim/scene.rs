//! Scenes a domain person asks for, by name: a village on sticks, a village that moves, a status two
//! people changed, a week without servers; hubs whose disk is nearly full, with what devices that are
//! closed meanwhile had saved; and devices that a hub certified for a village of its own besides.
//!
//! The cast is the same small one each time: province 0, kabupaten 1, kecamatan Suranenggala 2 with
//! Sambeng 3 and a neighbour 4, kecamatan Gunung Jati 5 with two villages, 6 and 7.

use crdt_schema::area::AreaId;
use crdt_schema::authority::Payload;
use crdt_schema::id::{RecordId, Space};
use crdt_schema::record::{Ask, Wish};
use node::answer::{RevealedValue, Takes};
use node::authority::MemberState;
use node::node::ListAsk;
use node::ports::ViewStore;
use node::replica::TAKING_IN_ENDS_BYTES;
use node::sync::Root;

use super::cast::certificate;
use super::ground::{DAY, HOUR, MINUTE};
use super::town::Town;
use super::wire::Class;
use super::{Config, told};

const PROVINCE: usize = 0;
const KABUPATEN: usize = 1;
const SURANENGGALA: usize = 2;
const SAMBENG: usize = 3;
const NEIGHBOUR: usize = 4;
const GUNUNG_JATI: usize = 5;
const OF_GUNUNG_JATI: usize = 6;

/// A town where nothing goes wrong by itself, everybody on and joined.
fn town(seed: u64) -> Result<Town, String> {
    let config = Config { faults: false, hostile_percent: 0, ..Config::small(seed) };
    let mut town = Town::new(&config)?;
    for site in 0..town.sites.len() {
        town.switch_on(site)?;
    }
    town.run(HOUR)?;
    Ok(town)
}

impl Town {
    fn root(&self, site: usize, area: AreaId) -> Option<Root> {
        Some(self.sites[site].up.as_ref()?.node.replica().summary().root(area))
    }

    fn puts(&mut self, site: usize, record: Option<RecordId>, fields: &[(&str, &str)]) -> RecordId {
        let asks: Vec<Ask> = fields
            .iter()
            .map(|(field, text)| Ask { field: (*field).into(), what: Wish::Put((*text).into()) })
            .collect();
        // A village writes at home, everybody else in Sambeng.
        let home = if self.is_village(site) { site } else { SAMBENG };
        let area = self.cast.roles[home].area;
        let code = self.code(site, area);
        let up = self.sites[site].up.as_mut().unwrap();
        let saved = match record {
            None => up.node.record_add("ppks", &code, 1, &asks),
            Some(record) => up.node.record_set(&record.to_string(), 1, &asks),
        };
        let saved = saved.unwrap();
        self.with(site, |now, up| up.exchange.stirred(now, &mut up.node));
        saved.record
    }

    fn person(&mut self, site: usize) -> RecordId {
        let fields = [
            ("nama", "Uji Coba"),
            ("kode_jenis", "LUT"),
            ("alasan_tanpa_nik", "belum_dicatat"),
            ("sintetis", "ya"),
        ];
        self.puts(site, None, &fields)
    }

    /// The kecamatan of Sambeng certifies somebody for a village of its own, asking nobody.
    fn certified_besides(&mut self, whom: usize, area: AreaId) -> Result<(), String> {
        let mut role = self.sites[whom].role.clone();
        role.area = area;
        let said = self.say(SURANENGGALA, area, Payload::Certificate(certificate(&role)))?;
        holds("it is certified", said)
    }

    /// What an area is called today, as a node knows it.
    fn code(&self, site: usize, area: AreaId) -> String {
        let up = self.sites[site].up.as_ref().unwrap();
        up.node.replica().authority().tree().code(area).unwrap().to_string()
    }

    /// How many records a node counts in the area of another one and below.
    fn counted(&self, site: usize, there: usize) -> Result<u64, String> {
        let area = Some(self.code(site, self.cast.roles[there].area));
        let up = self.sites[site].up.as_ref().ok_or("a node that is off")?;
        let ask = ListAsk { area, limit: 1, ..ListAsk::default() };
        Ok(up.node.record_list(&ask).map_err(told)?.total)
    }

    fn records(&self, site: usize) -> Result<u64, String> {
        let up = self.sites[site].up.as_ref().ok_or("a node that is off")?;
        Ok(up.node.replica().views().map_err(told)?.totals().map_err(told)?.records)
    }
}

/// An error unless it is so.
fn holds(what: &str, is_so: bool) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(what.to_owned()) }
}

/// Ten days without a line, then a stick: the kabupaten sees the work, the stick comes back with the
/// news of others, and nobody typed twice.
///
/// # Errors
/// What does not hold.
pub fn a_village_on_sticks(seed: u64) -> Result<(), String> {
    let mut town = town(seed)?;
    let area = town.sites[SAMBENG].role.area;
    town.sites[SAMBENG].class = Class::None;
    town.window(SAMBENG, false);
    for day in 0..10 {
        for site in [SAMBENG, SURANENGGALA] {
            town.person(site);
        }
        town.run((day + 2) * DAY)?;
    }
    holds("the kabupaten sees nothing yet", town.records(KABUPATEN)? == 10)?;
    holds("a stick went up", town.carry(SAMBENG, SURANENGGALA)?)?;
    town.run(12 * DAY)?;
    holds("the kabupaten sees the work", town.records(KABUPATEN)? == 20)?;
    holds("a stick went back", town.carry(SURANENGGALA, SAMBENG)?)?;
    holds("the stick came back with news", town.records(SAMBENG)? == 20)?;
    holds("equal roots", town.root(SAMBENG, area) == town.root(KABUPATEN, area))
}

/// Sambeng moves from Suranenggala to Gunung Jati: history, counts and rights move with it.
///
/// # Errors
/// What does not hold.
pub fn a_village_moves(seed: u64) -> Result<(), String> {
    let mut town = town(seed)?;
    let area = town.sites[SAMBENG].role.area;
    let record = town.person(SAMBENG);
    town.person(NEIGHBOUR);
    town.run(HOUR + 5 * MINUTE)?;
    town.puts(SURANENGGALA, Some(record), &[("prioritas", "2")]);
    town.run(2 * HOUR)?;
    let before = town.root(PROVINCE, area);
    let counted = |town: &Town, site| {
        Ok::<_, String>([town.counted(site, SURANENGGALA)?, town.counted(site, GUNUNG_JATI)?])
    };
    for above in [KABUPATEN, PROVINCE] {
        holds("both are counted in the old kecamatan", counted(&town, above)? == [2, 0])?;
    }
    town.move_village()?;
    town.run(DAY)?;
    holds("history is what it was", town.root(PROVINCE, area) == before)?;
    for site in [SAMBENG, GUNUNG_JATI, KABUPATEN, PROVINCE] {
        holds("all hold the same", town.root(site, area) == before)?;
        holds("all count the record", town.counted(site, SAMBENG)? == 1)?;
    }
    for above in [KABUPATEN, PROVINCE] {
        holds("counts move with it, and only with it", counted(&town, above)? == [1, 1])?;
    }
    let (there, here) = (town.counted(GUNUNG_JATI, GUNUNG_JATI)?, counted(&town, SURANENGGALA)?);
    holds("the new kecamatan counts it, the old one no more", (there, here[0]) == (1, 1))?;
    town.puts(GUNUNG_JATI, Some(record), &[("prioritas", "1")]);
    let up = town.sites[SURANENGGALA].up.as_mut().ok_or("a node that is off")?;
    let asks = [Ask { field: "prioritas".into(), what: Wish::Put("3".into()) }];
    holds("the old kecamatan may not", up.node.record_set(&record.to_string(), 1, &asks).is_err())?;
    town.run(DAY + 2 * HOUR)?;
    let after = town.root(GUNUNG_JATI, area);
    holds("the new kecamatan wrote", after != before)?;
    holds("and the village has it", town.root(SAMBENG, area) == after)
}

/// The neighbour's device is certified for Sambeng as well, whose id is lower. Once that moves away the
/// neighbour is where it was, and shows what its hub holds.
///
/// # Errors
/// What does not hold.
pub fn a_village_certified_for_another_one(seed: u64) -> Result<(), String> {
    let mut town = town(seed)?;
    let [sambeng, neighbour] = [SAMBENG, NEIGHBOUR].map(|site| town.sites[site].role.area);
    holds("Sambeng's id is lower", sambeng < neighbour)?;
    town.certified_besides(NEIGHBOUR, sambeng)?;
    town.person(NEIGHBOUR);
    town.run(2 * HOUR)?;
    town.move_village()?;
    town.run(4 * HOUR)?;
    town.person(NEIGHBOUR);
    town.run(6 * HOUR)?;
    town.check_shown(NEIGHBOUR)?;
    let shown = town.tally.get("newest row of its hub shown");
    holds("it shows what its hub holds", shown.is_some())
}

/// A hub is certified for Sambeng by the one that has it, and gets it: though it wrote there alone it goes on
/// saying what it holds of all its villages.
///
/// # Errors
/// What does not hold.
pub fn a_hub_certified_for_a_village(seed: u64) -> Result<(), String> {
    let mut town = town(seed)?;
    let record = town.person(SAMBENG);
    town.certified_besides(GUNUNG_JATI, town.sites[SAMBENG].role.area)?;
    town.run(2 * HOUR)?;
    town.move_village()?;
    town.run(4 * HOUR)?;
    town.puts(GUNUNG_JATI, Some(record), &[("prioritas", "2")]);
    town.person(OF_GUNUNG_JATI);
    town.run(6 * HOUR)?;
    town.check_published(GUNUNG_JATI)?;
    town.check_shown(OF_GUNUNG_JATI)?;
    let shown = town.tally.get("newest row of its hub shown");
    holds("its village shows what it holds", shown.is_some())
}

/// The disk of the province is nearly full for eight hours of work: what it refuses is brought to it
/// now and then, not with every save, or when somebody asks; once there is `room` for it all comes by itself.
///
/// # Errors
/// What does not hold.
pub fn a_hub_without_room(seed: u64, room: Option<u64>) -> Result<(), String> {
    const WORK: i64 = 8 * HOUR;
    let mut town = town(seed)?;
    town.person(SAMBENG);
    town.run(2 * HOUR)?;
    holds("all is well", town.records(PROVINCE)? == 1)?;
    town.sites[PROVINCE].shelf.leave_room(Some(TAKING_IN_ENDS_BYTES - 1));
    let is_short = |town: &Town| {
        let up = town.sites[PROVINCE].up.as_ref();
        up.is_some_and(|up| up.node.takes() == Takes::OwnSaves)
    };
    holds("this seed gives the province a disk that says what is left", is_short(&town))?;
    let unequal = |town: &Town| town.tally.get("comparison not equal").copied().unwrap_or(0);
    let before = unequal(&town);
    let mut saved = 1;
    while town.now() < 2 * HOUR + WORK {
        town.person(SAMBENG);
        saved += 1;
        town.run(town.now() + MINUTE)?;
    }
    holds("the kabupaten has all", town.records(KABUPATEN)? == saved)?;
    holds("the province took nothing", town.records(PROVINCE)? == 1)?;
    let times = unequal(&town) - before;
    // A turn is eight minutes, and the first ones are shorter.
    let most = (WORK / (8 * MINUTE) + 5) as u64;
    holds(&format!("it was brought all {times} times"), (10..=most).contains(&times))?;
    // Somebody asks for a comparison while somebody else saves.
    town.run(town.now() + MINUTE)?;
    let before = unequal(&town);
    town.with(KABUPATEN, |now, up| up.exchange.compare_all(now));
    town.person(KABUPATEN);
    saved += 1;
    town.run(town.now() + MINUTE / 2)?;
    holds("news put nothing off that was asked for", unequal(&town) > before)?;
    // Nobody saves, and the next comparison is far.
    town.run(town.now() + 90 * MINUTE)?;
    town.sites[PROVINCE].shelf.leave_room(room);
    town.run(town.now() + 5 * MINUTE)?;
    holds("once there is room all comes", town.records(PROVINCE)? == saved)
}

/// A device is closed while it has no line and goes on saving; when it hands that over its kecamatan has
/// no room. Once there is room that comes too, though no root names it.
///
/// # Errors
/// What does not hold.
pub fn late_saves_of_a_closed_device(seed: u64) -> Result<(), String> {
    let mut town = town(seed)?;
    town.person(SAMBENG);
    town.run(2 * HOUR)?;
    town.window(SAMBENG, false);
    town.person(SAMBENG);
    let role = town.sites[SAMBENG].role.clone();
    holds("it is closed", town.close(SURANENGGALA, &role)?)?;
    town.run(3 * HOUR)?;
    without_room(&mut town)?;
    town.window(SAMBENG, true);
    all_comes_once_there_is_room(town)
}

/// A kecamatan that has no room refuses what a device saves, and closes it while they are linked: they are equal
/// then, for what was refused lies outside the roots. Once there is room it comes.
///
/// # Errors
/// What does not hold.
pub fn refused_saves_of_a_closed_device(seed: u64) -> Result<(), String> {
    let mut town = town(seed)?;
    town.person(SAMBENG);
    town.run(2 * HOUR)?;
    without_room(&mut town)?;
    town.person(SAMBENG);
    town.run(town.now() + MINUTE / 2)?;
    let role = town.sites[SAMBENG].role.clone();
    holds("it is closed", town.close(SURANENGGALA, &role)?)?;
    all_comes_once_there_is_room(town)
}

/// The kecamatan's disk takes nothing any more.
fn without_room(town: &mut Town) -> Result<(), String> {
    town.sites[SURANENGGALA].shelf.leave_room(Some(TAKING_IN_ENDS_BYTES - 1));
    let takes = town.sites[SURANENGGALA].up.as_ref().map(|up| up.node.takes());
    let told = "this seed gives the kecamatan a disk that says what is left";
    holds(told, takes == Some(Takes::OwnSaves))
}

/// What the closed village saved, and the kecamatan has not, comes once that has room.
fn all_comes_once_there_is_room(mut town: Town) -> Result<(), String> {
    let device = town.sites[SAMBENG].role.device();
    let held = |town: &Town, site: usize| -> Option<u64> {
        let feeds = town.sites[site].up.as_ref()?.node.replica().feeds();
        let feeds = feeds.filter(|it| it.name.device == device && it.name.space == Space::Records);
        Some(feeds.flat_map(|it| &it.branches).map(|it| it.head.point.seq).sum())
    };
    let all = held(&town, SAMBENG);
    holds("it saved more than it handed on", held(&town, SURANENGGALA) < all)?;
    town.run(town.now() + HOUR)?;
    let up = town.sites[SAMBENG].up.as_ref();
    let state = up.map(|up| up.node.replica().authority().member(&device).map(|it| it.state));
    holds("it knows that it is closed", state == Some(Some(MemberState::Closed)))?;
    holds("the kecamatan took nothing", held(&town, SURANENGGALA) < all)?;
    town.sites[SURANENGGALA].shelf.leave_room(None);
    town.run(town.now() + 5 * MINUTE)?;
    holds("once there is room it comes", held(&town, SURANENGGALA) == all)
}

/// The volunteer and the kecamatan change one status while apart: both see the conflict and who
/// wrote what, and the person is counted once.
///
/// # Errors
/// What does not hold.
pub fn a_status_two_people_changed(seed: u64) -> Result<(), String> {
    let mut town = town(seed)?;
    let record = town.person(SAMBENG);
    town.run(2 * HOUR)?;
    town.window(SAMBENG, false);
    let offline = [(SAMBENG, "diverifikasi"), (SURANENGGALA, "dirujuk")];
    for (site, status) in offline {
        town.puts(site, Some(record), &[("status_penanganan", status)]);
    }
    town.run(4 * HOUR)?;
    town.window(SAMBENG, true);
    town.run(6 * HOUR)?;
    for site in [SAMBENG, SURANENGGALA, KABUPATEN] {
        let up = town.sites[site].up.as_ref().ok_or("a node that is off")?;
        let seen = up.node.record_conflicts(None).map_err(told)?;
        let of_status = seen.conflicts.iter().find(|it| it.field == "status_penanganan");
        let of_status = of_status.ok_or_else(|| format!("site {site} sees no conflict"))?;
        for (writer, status) in offline {
            let device = town.sites[writer].role.device();
            let value = RevealedValue::Shown(status.into());
            let named = of_status.values.iter().any(|it| it.device == device && it.value == value);
            holds("both authors are named with what they wrote", named)?;
        }
        holds("there are no other values", of_status.values.len() == offline.len())?;
        holds("the person is counted once", town.records(site)? == 1)?;
    }
    Ok(())
}

/// Province, kabupaten and kecamatan are off for a week: two villages of one kecamatan exchange a
/// referral over the office LAN.
///
/// # Errors
/// What does not hold.
pub fn a_week_without_servers(seed: u64) -> Result<(), String> {
    let mut town = town(seed)?;
    let area = town.sites[SAMBENG].role.area;
    for hub in [PROVINCE, KABUPATEN, SURANENGGALA] {
        town.switch_off(hub);
    }
    town.run(7 * DAY)?;
    let record = town.person(SAMBENG);
    town.puts(SAMBENG, Some(record), &[("status_penanganan", "dirujuk")]);
    town.join(SAMBENG, NEIGHBOUR, Class::Good);
    town.run(7 * DAY + HOUR)?;
    holds("the neighbour has it", town.records(NEIGHBOUR)? == 1)?;
    holds("equal roots", town.root(SAMBENG, area) == town.root(NEIGHBOUR, area))?;
    for hub in [PROVINCE, KABUPATEN, SURANENGGALA] {
        town.switch_on(hub)?;
    }
    for site in [KABUPATEN, SURANENGGALA, SAMBENG, NEIGHBOUR] {
        town.dial_soon(site, MINUTE);
    }
    town.run(8 * DAY)?;
    holds("later the province has it", town.records(PROVINCE)? == 1)
}
