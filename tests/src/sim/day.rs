//! A working day: when people come and go, when weak lines work, what is saved when, and why a node may
//! refuse it.

use crdt_schema::area::{AreaId, Level};
use crdt_schema::id::RecordId;
use crdt_schema::record::{Ask, Wish};
use node::authority::{MemberState, Standing};
use node::error::NodeError;
use node::ports::{RecordKey, RecordVerdict, ViewStore};

use super::ground::{DAY, HOUR, MINUTE, day_of_month, weekday};
use super::town::Town;
use super::wire::{Class, Due};

/// People come at eight and go at three.
const OPENS: i64 = 8 * HOUR;
const CLOSES: i64 = 15 * HOUR;
/// Milliseconds of an hour, and of a working day.
const HOUR_MS: usize = 3_600_000;
const OFFICE: usize = 7 * HOUR_MS;

impl Town {
    /// Plans a node's day.
    pub(super) fn morning(&mut self, site: usize) {
        let (now, midnight) = (self.now(), self.now() / DAY * DAY);
        self.life.plan(midnight + DAY, Due::Morning { site });
        if self.sites[site].lost {
            return;
        }
        let works = weekday(now) < 5;
        if !self.sites[site].always_on && works {
            let comes = OPENS + self.around(HOUR);
            let goes = CLOSES + self.around(HOUR);
            self.note("office hours");
            self.life.plan(midnight + comes, Due::On { site });
            self.life.plan(midnight + goes, Due::Off { site });
        } else if self.sites[site].always_on {
            self.life.plan(now, Due::On { site });
        }
        if self.sites[site].class == Class::Weak && works {
            for _ in 0..=self.numbers.below(3) {
                let begins = midnight + OPENS + self.numbers.below(6 * 3_600_000) as i64;
                let lasts = 5 * MINUTE + self.numbers.below(35 * 60_000) as i64;
                self.life.plan(begins, Due::Window { site, open: true });
                self.life.plan(begins + lasts, Due::Window { site, open: false });
            }
        }
        if self.sites[site].class == Class::Good && works {
            self.plan_outage(site, midnight);
        }
        self.plan_saves(site, midnight, works);
    }

    /// A good line is down once a day, for its share of the office hours on average.
    fn plan_outage(&mut self, site: usize, midnight: i64) {
        let percent = self.config.rates.outage_percent;
        if percent > 0 && self.sites[site].role.above.is_some() {
            let begins = midnight + OPENS + self.numbers.below(OFFICE) as i64;
            let lasts = self.numbers.below(2 * OFFICE * percent / 100) as i64;
            self.life.plan(begins, Due::Window { site, open: false });
            self.life.plan(begins + lasts, Due::Window { site, open: true });
        }
    }

    /// When the next stick goes from a village without a line, and comes back.
    pub(super) fn plan_stick(&mut self, site: usize) {
        if let (Class::None, Some((least, end))) =
            (self.sites[site].class, self.config.rates.sticks)
        {
            let later = HOUR_MS * 24 * least + self.numbers.below(HOUR_MS * 24 * (end - least));
            let day = (self.now() + later as i64) / DAY * DAY;
            let works = if weekday(day) < 5 { day } else { day + (7 - weekday(day)) * DAY };
            // Somebody is there in the morning.
            self.life.plan(works + OPENS + 2 * HOUR, Due::Round { site });
        }
    }

    fn around(&mut self, by: i64) -> i64 {
        self.numbers.below(usize::try_from(2 * by).unwrap()) as i64 - by
    }

    /// Saves of a day: fewer at the month's ends, many before the seventeenth, one at most at weekends.
    fn plan_saves(&mut self, site: usize, midnight: i64, works: bool) {
        let each = self.config.saves_per_day;
        let percent = match day_of_month(midnight) {
            _ if !works => 0,
            1..=9 => 90,
            10..=17 => 180,
            _ => 60,
        };
        let share = match self.sites[site].role.level() {
            Level::Desa => 100,
            // Of a village's edits a few are the TKSK's and the kabupaten's.
            Level::Kecamatan => 60,
            Level::Kabupaten | Level::Provinsi => 30,
        };
        let mean = each * percent * share / 10_000;
        let drawn = self.numbers.below(if works { 2 * mean + 1 } else { 100 });
        let count =
            if works { drawn } else { usize::from(drawn < self.config.rates.weekend_percent) };
        for _ in 0..count {
            let at = match self.numbers.below(100) {
                0..=91 => OPENS + self.numbers.below(7 * 3_600_000) as i64,
                92..=97 => 18 * HOUR + self.numbers.below(4 * 3_600_000) as i64,
                _ => self.numbers.below(24 * 3_600_000) as i64,
            };
            self.life.plan(midnight + at, Due::Save { site });
        }
    }

    /// A line begins to work, or ends.
    pub(super) fn window(&mut self, site: usize, open: bool) {
        self.sites[site].line = open;
        if open {
            if self.sites[site].class == Class::Weak {
                self.note("window of a weak line");
            }
            self.dial_soon(site, MINUTE);
        } else {
            self.cut_all(site);
        }
    }

    /// A person at a node saves something.
    pub(super) fn save(&mut self, site: usize) {
        if self.sites[site].up.is_none() {
            self.note("nobody there to save");
            return;
        }
        if self.waits_for_a_hub(site) {
            self.note("save waits until a hub was met");
            return;
        }
        let Some(area) = self.area_to_write(site) else { return };
        let known = self.records.get(&area).map_or(0, Vec::len);
        let new = known == 0 || self.numbers.chance(self.config.new_percent);
        let picked = self.numbers.below(known);
        let record = if new { None } else { self.records[&area].get(picked).copied() };
        let (kind, asks) = self.wishes(record);
        self.write(site, area, record, kind, &asks);
    }

    /// After the last heal whoever its hub counts as a member can save.
    ///
    /// # Errors
    /// Who cannot.
    pub(super) fn all_can_save(&mut self) -> Result<(), String> {
        let copies = self.copies();
        for site in self.honest() {
            if copies.contains(&site) || self.waits_for_a_hub(site) || !self.counts_above(site) {
                continue;
            }
            self.switch_on(site)?;
            let Some(area) = self.area_to_write(site) else { continue };
            let (kind, asks) = self.wishes(None);
            let Some(up) = self.sites[site].up.as_mut() else { continue };
            let code = up.node.replica().authority().tree().code(area);
            let code = code.map(|code| code.to_string()).unwrap_or_default();
            if let Err(error) = up.node.record_add(kind, &code, 1, &asks) {
                return Err(format!("cannot save in the end: {error:?}: {}", self.told_of(site)));
            }
            self.note("save in the end");
        }
        Ok(())
    }

    /// Whether a device is a member for the hub above it, if that does not lie; the first one is.
    fn counts_above(&self, site: usize) -> bool {
        let Some(above) = self.above(site) else { return true };
        let Some(up) = self.sites[above].up.as_ref().filter(|_| self.is_honest(above)) else {
            return false;
        };
        let member = up.node.replica().authority().member(&self.sites[site].role.device());
        member.is_some_and(|it| it.state == MemberState::Active)
    }

    fn area_to_write(&mut self, site: usize) -> Option<AreaId> {
        let role = &self.sites[site].role;
        if role.level() == Level::Desa {
            return Some(role.area);
        }
        let own = role.area;
        let tree = self.sites[site].up.as_ref()?.node.replica().authority().tree();
        let below: Vec<_> =
            self.villages.iter().copied().filter(|area| tree.covers(own, *area)).collect();
        below.get(self.numbers.below(below.len())).copied()
    }

    fn write(
        &mut self,
        site: usize,
        area: AreaId,
        record: Option<(RecordId, u16)>,
        kind: &'static str,
        asks: &[Ask],
    ) {
        let Some(up) = self.sites[site].up.as_mut() else { return };
        let code = up.node.replica().authority().tree().code(area).map(|code| code.to_string());
        let before = up.node.replica().arrived();
        let done = match record {
            None => up.node.record_add(kind, &code.unwrap_or_default(), 1, asks),
            Some((id, _)) => up.node.record_set(&id.to_string(), 1, asks),
        };
        let written = up.node.replica().arrived() > before;
        match done {
            Ok(saved) => {
                self.note(if record.is_none() { "new record" } else { "save" });
                // Also what changed nothing names an entry, and that one is held.
                self.sites[site].saved.push(saved.entry);
                if written {
                    self.check_incarnation(site);
                }
                if record.is_none() {
                    let number = if kind == "ppks" { 1 } else { 5 };
                    self.records.entry(area).or_default().push((saved.record, number));
                }
                self.with(site, |now, up| up.exchange.stirred(now, &mut up.node));
            }
            Err(error) => {
                self.save_failed(site, &error);
                if !self.may_refuse(site, area, record, &error) {
                    self.breaks(site, &format!("a save was refused without a reason: {error:?}"));
                }
            }
        }
    }

    fn save_failed(&mut self, site: usize, error: &NodeError) {
        match error {
            NodeError::Store { .. } => {
                self.note("save refused by the disk");
                self.store_refused(site, error);
            }
            NodeError::TransitionInvalid { .. } | NodeError::RecordUnknown { .. } => {
                self.note("save refused");
            }
            NodeError::NoCertificate { .. } => self.note("save refused: no certificate"),
            NodeError::Revoked { .. } => self.note("save refused: the device is closed"),
            NodeError::AreaMoved { .. } | NodeError::AreaOutside { .. } => {
                self.note("save refused: the village moved");
            }
            NodeError::RecordQuarantined { .. } | NodeError::RecordWaits { .. } => {
                self.note("save refused: the record does not count");
            }
            _ => self.breaks(site, &format!("a save failed: {error:?}")),
        }
    }

    /// Whether a node has a reason to refuse a save, by what it knows of itself and of the record.
    fn may_refuse(
        &self,
        site: usize,
        area: AreaId,
        record: Option<(RecordId, u16)>,
        error: &NodeError,
    ) -> bool {
        let Some(up) = &self.sites[site].up else { return true };
        let replica = up.node.replica();
        let counts = || {
            let member = replica.authority().member(&up.node.device());
            member.is_some_and(|it| it.state == MemberState::Active)
        };
        let row = || {
            let (record, kind) = record?;
            let key = RecordKey { area, kind, record };
            replica.views().ok()?.row(&key, replica.feed_store()).ok()?
        };
        match error {
            NodeError::NoCertificate { .. } | NodeError::Revoked { .. } => !counts(),
            NodeError::AreaMoved { .. } | NodeError::AreaOutside { .. } => !matches!(
                replica.own_standing(&up.node.device(), area),
                Standing::Counts | Standing::OpenCounts(None) | Standing::Provisional
            ),
            NodeError::RecordUnknown { .. } => row().is_none(),
            NodeError::RecordQuarantined { .. } | NodeError::RecordWaits { .. } => {
                row().is_none_or(|row| row.verdict != RecordVerdict::Counting)
            }
            _ => true,
        }
    }

    /// What is typed, by the shares of kinds of edits.
    fn wishes(&mut self, record: Option<(RecordId, u16)>) -> (&'static str, Vec<Ask>) {
        let text = |what: &str, n: usize| (what.to_owned(), format!("uji {n}"));
        let n = self.numbers.below(20);
        let fields: Vec<(String, String)> = match record {
            None if self.numbers.chance(60) => {
                let fields = [
                    ("nama", "Uji Coba"),
                    ("kode_jenis", "LUT"),
                    ("alasan_tanpa_nik", "belum_dicatat"),
                    ("jenis_kelamin", "P"),
                    ("umur_perkiraan", "67"),
                    ("rw", "01"),
                    ("rt", "02"),
                    ("sintetis", "ya"),
                ];
                let fields =
                    fields.map(|(field, text)| (field.to_owned(), text.to_owned())).to_vec();
                return ("ppks", asks(fields));
            }
            None => {
                let fields = [
                    ("judul", "Rapat koordinasi"),
                    ("kode_program", "G.5.1.4"),
                    ("jenis", "rapat"),
                    ("tanggal", "2026-11-03"),
                    ("tempat", "Balai desa"),
                    (
                        "materi",
                        "Pendataan warga yang belum terlayani di dusun, dan jadwal kunjungan",
                    ),
                ];
                let fields =
                    fields.map(|(field, text)| (field.to_owned(), text.to_owned())).to_vec();
                return ("kegiatan", asks(fields));
            }
            Some((_, 1)) => match self.numbers.below(10) {
                0..=4 => vec![self.status()],
                5 => vec![text("kontak", n)],
                6 => vec![text("alamat", n)],
                7 => vec![("prioritas".to_owned(), (n % 3 + 1).to_string())],
                8 => vec![text("kondisi", n), text("alat_bantu", n)],
                _ => vec![(
                    "kebutuhan".to_owned(),
                    ["pangan", "pelatihan", "terapi"][n % 3].to_owned(),
                )],
            },
            Some(_) => match self.numbers.below(4) {
                0 => {
                    let status = ["rencana", "terlaksana", "batal"][n % 3];
                    vec![("status".to_owned(), status.to_owned())]
                }
                1 => vec![("peserta_l".to_owned(), n.to_string())],
                2 => vec![text("hasil", n)],
                _ => vec![text("tempat", n), ("durasi".to_owned(), (n + 1).to_string())],
            },
        };
        ("", asks(fields))
    }

    fn status(&mut self) -> (String, String) {
        let all = ["terdata", "diverifikasi", "diasesmen", "dirujuk", "direncanakan", "ditangani"];
        let status = all[self.numbers.below(all.len())];
        ("status_penanganan".to_owned(), status.to_owned())
    }
}

fn asks(fields: Vec<(String, String)>) -> Vec<Ask> {
    fields.into_iter().map(|(field, text)| Ask { field, what: Wish::Put(text) }).collect()
}
