//! What may happen next: saves, deliveries, words of authority, copies, crashes, losses.

use crdt_schema::authority::{
    Adoption, Alias, Certificate, Closing, Confirmation, Invitation, Limits, Payload, Rights,
};
use crdt_schema::class::Class;
use crdt_schema::edit::{Op, Section, Value};
use crdt_schema::entry::{DraftSection, Form, SALT_BYTES, SigningSecret};
use crdt_schema::fold::RecordState;
use crdt_schema::id::{EntryId, RecordId, Space};
use crdt_schema::time::Timestamp;
use node::authority::MemberState;
use node::ports::{RecordKey, RecordVerdict, ViewStore};
use node::progress::Unwatched;
use node::replica::{Author, Save};

use super::cast::{Cast, JOINER, KABUPATEN, KECAMATAN, OTHER_KECAMATAN, PROVINCE, VILLAGERS};
use super::mesh::{Impatient, Mesh, everything};
use super::oracle::told;
use super::stores::{Lie, Views};

/// `kegiatan`, mostly open, and `layanan`, about a person.
const KINDS: [u16; 2] = [5, 7];
/// Records of one history: few, so that edits meet.
const RECORDS_MAX: usize = 3;

impl Mesh {
    /// The world before anything is written about: who is certified by whom, and who knows it.
    ///
    /// # Errors
    /// What did not work.
    pub(super) fn found(&mut self) -> Result<(), String> {
        let cast = Cast::get();
        self.site(PROVINCE, None, false);
        self.site(KABUPATEN, None, false);
        self.certify(0, KABUPATEN, Rights::above_desa())?;
        self.give_all(1)?;
        let kecamatan = self.numbers.chance(60).then(|| self.site(KECAMATAN, None, false));
        if kecamatan.is_some() {
            self.certify(1, KECAMATAN, Rights::above_desa())?;
        }
        for villager in VILLAGERS {
            self.site(villager, None, false);
            let issuer = self.numbers.below(2);
            self.certify(issuer, villager, Rights::desa())?;
        }
        if self.numbers.chance(50) {
            let class = [Class::Personal, Class::Tally, Class::Specific, Class::Open];
            let class = self.pick(&class);
            self.site(KABUPATEN, class, true);
        }
        debug_assert_eq!(cast.devices[VILLAGERS[0]].area, cast.village);
        // Some know of each other from the first day, some learn it later.
        for site in 0..self.sites.len() {
            if self.numbers.chance(85) {
                self.give_all(site)?;
            }
        }
        Ok(())
    }

    /// One thing that happens.
    ///
    /// # Errors
    /// What did not work.
    pub(super) fn step(&mut self) -> Result<(), String> {
        let site = self.numbers.below(self.sites.len());
        if self.sites[site].lost {
            return Ok(());
        }
        match self.numbers.below(100) {
            0..=40 => self.save(site),
            41..=54 => self.deliver(site),
            55..=68 => self.meet(site),
            69..=83 => self.speak(),
            84..=87 => self.remember(site),
            88..=91 => self.crash(site),
            92..=95 => self.copy(site),
            96 => {
                self.lose(site);
                Ok(())
            }
            97 => self.vanish(site),
            98 => self.flood(site),
            _ => self.doubt(site),
        }
    }

    /// A word of authority, or a save and a delivery between two.
    ///
    /// # Errors
    /// What did not work.
    pub(super) fn word(&mut self) -> Result<(), String> {
        if self.numbers.chance(60) {
            return self.speak();
        }
        let site = self.numbers.below(self.sites.len());
        self.save(site)?;
        let site = self.numbers.below(self.sites.len());
        self.deliver(site)
    }

    fn certify(&mut self, site: usize, whom: usize, rights: Rights) -> Result<(), String> {
        let device = &Cast::get().devices[whom];
        let certificate = certificate(whom, rights);
        self.declare(site, device.area, Payload::Certificate(certificate)).map(drop)
    }

    fn give_all(&mut self, site: usize) -> Result<(), String> {
        for message in self.bag.clone() {
            if message.drawer.is_none() && !self.holds(site, &message)? {
                self.offer(site, &message)?;
            }
        }
        self.commit(site, false)
    }

    /// One to three saves that become durable together.
    fn save(&mut self, site: usize) -> Result<(), String> {
        if self.numbers.chance(60) {
            // Mostly a person looks at what others wrote before saving.
            self.deliver(site)?;
        }
        let Some(state) = self.writes(site) else { return Ok(()) };
        let drawer = self.numbers.chance(15);
        for _ in 0..=self.numbers.below(3) {
            self.save_one(site, state)?;
        }
        if drawer {
            self.note("save that lies in a drawer");
        }
        self.commit(site, drawer)
    }

    pub(super) fn save_one(&mut self, site: usize, state: MemberState) -> Result<(), String> {
        let Some(key) = self.record(site, state)? else { return Ok(()) };
        let at = &mut self.sites[site];
        if at.replica.needs_commit(key) {
            self.note("save that waits for a fold");
            self.commit(site, false)?;
        }
        let now = self.sites[site].replica.state_now(key);
        if !now.conflicts().is_empty() {
            self.note("save on a conflict");
        }
        let sections = self.sections(key.kind, &now);
        let claimed_at = self.time();
        let at = &mut self.sites[site];
        let device = at.device();
        let author = Author { device: device.id, key: &device.secret };
        let save = Save { key, person: 1, claimed_at, sections };
        at.replica.save(&author, save).map_err(told)?;
        self.note(if state == MemberState::Provisional { "save while waiting" } else { "save" });
        Ok(())
    }

    /// Somebody fills one record with texts as long as there may be, so that it weighs about as much as a
    /// record may.
    fn flood(&mut self, site: usize) -> Result<(), String> {
        let Some(state) = self.writes(site) else { return Ok(()) };
        let Some(key) = self.record(site, state)? else { return Ok(()) };
        let class = self.pick(&[Class::Open, Class::Personal]).unwrap();
        let texts =
            ["apbd", "csr"].map(|id| Op::put_element(19, id, Value::Text("x".repeat(8_000))));
        let body = Section::from_ops(texts.into()).map_err(told)?.encode();
        self.commit(site, false)?;
        for _ in 0..20 + self.numbers.below(60) {
            if self.sites[site].replica.needs_commit(key) {
                self.commit(site, false)?;
            }
            let claimed_at = self.time();
            let sections = vec![DraftSection::in_clear(class, &body, [7; SALT_BYTES])];
            let at = &mut self.sites[site];
            let device = at.device();
            let author = Author { device: device.id, key: &device.secret };
            let save = Save { key, person: 1, claimed_at, sections };
            at.replica.save(&author, save).map_err(told)?;
        }
        self.note("record filled");
        self.commit(site, false)
    }

    /// A record to write about: a new one, or one whose values count for this author.
    fn record(&mut self, site: usize, state: MemberState) -> Result<Option<RecordKey>, String> {
        if self.records.len() < RECORDS_MAX && self.numbers.chance(30) || self.records.is_empty() {
            let cast = Cast::get();
            let far = state == MemberState::Active && self.numbers.chance(20);
            let area = if far { cast.neighbour } else { cast.village };
            let mut record = [0; 16];
            record[..8].copy_from_slice(&self.numbers.next().to_be_bytes());
            let kind = self.pick(&KINDS).unwrap();
            self.records.push(RecordKey { area, kind, record: RecordId(record) });
        }
        let key = self.pick(&self.records.clone()).unwrap();
        let at = &self.sites[site];
        let device = at.device().id;
        if !at.replica.authority().may(&device, Rights::WRITE, key.area)
            && state == MemberState::Active
        {
            return Ok(None);
        }
        let views = at.replica.views().map_err(told)?;
        let row = views.row(&key, at.replica.feed_store()).map_err(told)?;
        let layer = if state == MemberState::Provisional {
            RecordVerdict::Waiting
        } else {
            RecordVerdict::Counting
        };
        Ok(row.is_none_or(|row| row.verdict == layer).then_some(key))
    }

    fn sections(&mut self, kind: u16, now: &RecordState) -> Vec<DraftSection> {
        let fields: &[(Class, &[u16])] = if kind == KINDS[0] {
            &[(Class::Open, &[1, 4, 6, 19]), (Class::Personal, &[14, 21])]
        } else {
            &[(Class::Tally, &[2, 3]), (Class::Personal, &[4, 5]), (Class::Specific, &[8, 10])]
        };
        let mut sections = Vec::new();
        for (class, fields) in fields {
            if !self.numbers.chance(65) {
                continue;
            }
            let salt = [7; SALT_BYTES];
            sections.push(match self.numbers.below(40) {
                0 => {
                    self.note("malformed section");
                    DraftSection::in_clear(*class, &[255, 255, 255], salt)
                }
                1 => {
                    self.note("sealed section");
                    DraftSection { class: *class, form: Form::Sealed, body: vec![9; 32] }
                }
                _ => {
                    let section = self.section(*class, fields, now);
                    DraftSection::in_clear(*class, &section.encode(), salt)
                }
            });
        }
        sections
    }

    fn section(&mut self, class: Class, fields: &[u16], now: &RecordState) -> Section {
        let mut ops = Vec::new();
        for field in fields {
            if !self.numbers.chance(60) {
                continue;
            }
            let removes = self.numbers.chance(25);
            let is_set = [14, 19, 21].contains(field);
            let element = self.pick(&["apbd", "csr", "hibah"]).unwrap();
            ops.push(match (is_set, removes) {
                (true, true) => Op::remove_element(*field, element),
                (true, false) => Op::put_element(*field, element, Value::Flag),
                (false, true) => Op::remove(*field),
                (false, false) => Op::put(*field, self.value(class, *field, now)),
            });
            if removes {
                self.note("removal");
            } else if is_set {
                self.note("element of a set");
            } else if now.conflicts().contains(&(class, *field)) {
                self.note("conflict settled");
            }
        }
        Section::from_ops(ops).unwrap()
    }

    fn value(&mut self, class: Class, field: u16, now: &RecordState) -> Value {
        let kept = now.shown(class, field, None).cloned();
        match field {
            4 if self.numbers.chance(70) => {
                self.note("status");
                Value::Text(self.pick(&["rencana", "terlaksana", "batal"]).unwrap().to_owned())
            }
            6 => Value::Int(i64::try_from(self.numbers.below(3)).unwrap()),
            _ if self.numbers.chance(15) => kept.unwrap_or(Value::Bool(true)),
            _ => Value::Text(format!("uji {}", self.numbers.below(4))),
        }
    }

    /// Some runs arrive, in any order, perhaps twice, committed one by one or together.
    fn deliver(&mut self, site: usize) -> Result<(), String> {
        if self.numbers.chance(15) {
            self.remember(site)?;
        }
        for _ in 0..=self.numbers.below(6) {
            // Half of what arrives is quite new: it often builds on what has not arrived.
            let newest = if self.numbers.chance(50) { self.bag.len() } else { 6 };
            let back = 1 + self.numbers.below(newest.min(self.bag.len()));
            let Some(at) = self.bag.len().checked_sub(back) else { break };
            let message = self.bag[at].clone();
            if message.drawer.is_some_and(|owner| owner != site) {
                continue;
            }
            if self.holds(site, &message)? && !self.numbers.chance(20) {
                continue;
            }
            self.offer(site, &message)?;
            if self.numbers.chance(30) {
                self.commit(site, false)?;
            }
        }
        self.commit(site, false)
    }

    /// Two meet: one gets what the other holds, in order or not; drawers are opened.
    fn meet(&mut self, site: usize) -> Result<(), String> {
        let from = self.numbers.below(self.sites.len());
        // A partial reader hands nothing on, so it must not be the only one left that holds a run.
        let partial = [from, site].iter().any(|it| self.sites[*it].closed.is_some());
        if from == site || self.sites[from].lost || partial {
            return Ok(());
        }
        let mut all = everything(self.sites[from].replica.feed_store())?;
        if self.numbers.chance(50) {
            self.numbers.shuffle(&mut all);
        }
        let some = if self.numbers.chance(50) { all.len() } else { all.len() / 2 };
        for message in all.iter().take(some) {
            if !self.holds(site, message)? {
                self.offer(site, message)?;
            }
        }
        self.note("two met");
        self.commit(site, false)
    }

    /// Views are kept as they are, for a later crash.
    fn remember(&mut self, site: usize) -> Result<(), String> {
        let views = self.sites[site].replica.views().map_err(told)?.clone();
        self.sites[site].snapshot = Some(views);
        Ok(())
    }

    /// The power fails: views are gone, or as they were some time ago.
    fn crash(&mut self, site: usize) -> Result<(), String> {
        let lie = if self.lie == Lie::VerdictKept { return Ok(()) } else { Lie::None };
        let snapshot = self.sites[site].snapshot.take().filter(|_| self.numbers.chance(70));
        self.note(if snapshot.is_some() { "views rolled back" } else { "views lost" });
        self.reopen(site, snapshot.unwrap_or_else(|| Views::new(lie)))
    }

    /// Somebody makes the views anew, stops in the middle, and goes on later.
    fn doubt(&mut self, site: usize) -> Result<(), String> {
        if self.lie == Lie::VerdictKept {
            return Ok(());
        }
        self.note("views made anew, stopped and gone on with");
        let replica = &mut self.sites[site].replica;
        replica.rebuild_views(&mut Impatient).map_err(told)?;
        replica.catch_up(&mut Unwatched).map_err(told).map(drop)
    }

    /// A card is cloned; both live on.
    fn copy(&mut self, site: usize) -> Result<(), String> {
        let writes = self.writes(site).is_some() && VILLAGERS.contains(&self.sites[site].device);
        let same = self.sites[site].device;
        let copies = self.sites.iter().filter(|it| it.device == same).count();
        if !writes || copies > 1 {
            return Ok(());
        }
        let copy = self.clone_of(site)?;
        self.note("card cloned");
        for writer in [site, copy] {
            if let Some(state) = self.writes(writer) {
                for _ in 0..=self.numbers.below(3) {
                    self.save_one(writer, state)?;
                }
                self.commit(writer, false)?;
            }
        }
        if self.numbers.chance(50) {
            let issuer = self.numbers.below(2);
            self.give_all(issuer)?;
            if self.numbers.chance(40) {
                self.close_device(issuer, same)?;
            }
        }
        Ok(())
    }

    /// A village's device is gone, and what only it held.
    fn lose(&mut self, site: usize) {
        let device = self.sites[site].device;
        if VILLAGERS.contains(&device) || device == JOINER {
            self.note("device lost");
            self.sites[site].lost = true;
        }
    }

    /// One device builds on what only another saved; its own words are carried on, both are lost.
    fn vanish(&mut self, site: usize) -> Result<(), String> {
        let others: Vec<usize> = self.alive().into_iter().filter(|it| *it != site).collect();
        let of_village = |mesh: &Self, site: usize| {
            VILLAGERS.contains(&mesh.sites[site].device) && mesh.writes(site).is_some()
        };
        let Some(reader) = self.pick(&others) else { return Ok(()) };
        if !of_village(self, site) || !of_village(self, reader) {
            return Ok(());
        }
        self.save_one(site, MemberState::Active)?;
        self.commit(site, true)?;
        for message in everything(self.sites[site].replica.feed_store())? {
            if !self.holds(reader, &message)? {
                self.offer(reader, &message)?;
            }
        }
        self.commit(reader, false)?;
        for _ in 0..3 {
            self.save_one(reader, MemberState::Active)?;
        }
        self.commit(reader, false)?;
        for lost in [site, reader] {
            self.sites[lost].lost = true;
        }
        self.note("two devices lost, one had built on the other");
        Ok(())
    }

    /// Somebody with the right to issue says something.
    fn speak(&mut self) -> Result<(), String> {
        let issuers = [PROVINCE, KABUPATEN, KECAMATAN];
        let able = |mesh: &Self, site: &usize| {
            issuers.contains(&mesh.sites[*site].device)
                && mesh.writes(*site) == Some(MemberState::Active)
        };
        let sites: Vec<usize> = (0..self.sites.len()).filter(|site| able(self, site)).collect();
        let Some(site) = self.pick(&sites) else { return Ok(()) };
        match self.numbers.below(15) {
            0..=1 => self.invite(site),
            2..=5 => self.confirm(site),
            6..=7 => self.close(site),
            8..=9 => self.revoke(site),
            10..=12 => self.adopt(&sites),
            13 => self.close_itself(),
            _ => self.rehome(site),
        }
    }

    fn invite(&mut self, site: usize) -> Result<(), String> {
        if self.sites.iter().any(|it| it.device == JOINER) {
            return Ok(());
        }
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.numbers.next().to_be_bytes());
        let area = Cast::get().village;
        let counts_at_once = self.numbers.chance(25);
        let invitation = Invitation {
            key: SigningSecret::from_seed(&seed).public(),
            area,
            rights: Rights::desa(),
            expires_at: Timestamp(0),
            counts_at_once,
        };
        let entry = self.declare(site, area, Payload::Invitation(invitation))?;
        self.invited.push((entry.id, seed, counts_at_once));
        self.join(site, entry.id, seed, counts_at_once)
    }

    /// The invited device learns the authority its invitation brings, and writes its certificate.
    fn join(
        &mut self,
        inviter: usize,
        invitation: EntryId,
        seed: [u8; 32],
        at_once: bool,
    ) -> Result<(), String> {
        let joiner = self.site(JOINER, None, false);
        let all = everything(self.sites[inviter].replica.feed_store())?;
        for _ in 0..3 {
            for message in all.iter().filter(|it| it.name.space == Space::Authority) {
                if !self.holds(joiner, message)? {
                    self.offer(joiner, message)?;
                }
            }
            self.commit(joiner, false)?;
        }
        let asked = certificate(JOINER, Rights::desa());
        let signature = SigningSecret::from_seed(&seed).sign(&asked.invited_message(invitation));
        let own = Certificate { invited: Some((invitation, signature)), ..asked };
        let payload = Payload::Certificate(own);
        let area = Cast::get().village;
        self.declare_after(joiner, area, payload, vec![invitation])?;
        self.note(if at_once { "joined, counts at once" } else { "joined, waits" });
        let state = self.writes(joiner);
        let state = state.ok_or("whoever joined is no member on its own node")?;
        for _ in 0..self.numbers.below(3) {
            self.save_one(joiner, state)?;
        }
        self.commit(joiner, false)?;
        if self.numbers.chance(60) {
            self.give_all(inviter)?;
        }
        Ok(())
    }

    fn confirm(&mut self, site: usize) -> Result<(), String> {
        let authority = self.sites[site].replica.authority();
        let joiner = Cast::get().devices[JOINER].id;
        let Some(member) = authority.member(&joiner) else { return Ok(()) };
        let (Some(invitation), true) = (member.invitation, member.state != MemberState::Closed)
        else {
            return Ok(());
        };
        if authority.used_by(&invitation).is_some() {
            return Ok(());
        }
        let held = self.sites[site]
            .replica
            .feeds()
            .any(|feed| feed.name.device == joiner && feed.name.space == Space::Records);
        self.note(if held { "confirmed after edits were held" } else { "confirmed" });
        let certificate = certificate(JOINER, Rights::desa());
        let area = certificate.area;
        let payload = Payload::Confirmation(Confirmation { invitation, certificate });
        self.declare_after(site, area, payload, vec![invitation]).map(drop)
    }

    /// Somebody of the village writes about two records; the kabupaten closes the device with nothing
    /// of it counting, and adopts it all.
    ///
    /// # Errors
    /// What did not work.
    pub(super) fn adopted_range(&mut self) -> Result<(), String> {
        self.found()?;
        let (issuer, device) = (KABUPATEN, &Cast::get().devices[VILLAGERS[0]]);
        let writer = self.sites.iter().position(|it| it.device == VILLAGERS[0]).unwrap();
        for site in [writer, issuer] {
            self.give_all(site)?;
        }
        let area = device.area;
        let key = RecordKey { area, kind: KINDS[0], record: RecordId([1; 16]) };
        self.records = vec![key; RECORDS_MAX];
        self.save_one(writer, MemberState::Active)?;
        self.commit(writer, false)?;
        // Another record, so that nothing but the verdict touches the first one's row.
        self.records = vec![RecordKey { record: RecordId([2; 16]), ..key }; RECORDS_MAX];
        for _ in 0..2 {
            self.save_one(writer, MemberState::Active)?;
        }
        self.commit(writer, false)?;
        self.give_all(issuer)?;
        let closing = Payload::Closing(Closing { device: device.id, ends: Vec::new() });
        self.declare(issuer, area, closing)?;
        let replica = &self.sites[issuer].replica;
        let feed = replica
            .feeds()
            .find(|it| it.name.device == device.id && it.name.space == Space::Records);
        let feed = feed.ok_or("the writer has no feed")?;
        let ranges = vec![(feed.name.id(), 1, feed.branches[0].head.point)];
        self.declare(issuer, area, Payload::Adoption(Adoption { ranges })).map(drop)
    }

    /// The village moves to the other kecamatan, or only gets another name.
    fn rehome(&mut self, site: usize) -> Result<(), String> {
        if ![PROVINCE, KABUPATEN].contains(&self.sites[site].device) {
            return Ok(());
        }
        let cast = Cast::get();
        let [kecamatan, other, kabupaten, _] = cast.above;
        let tree = self.sites[site].replica.authority().tree();
        let standing = tree.standing_aliases(cast.village).to_vec();
        let moved = tree.parent(cast.village) == Some(other);
        let back = moved && self.numbers.chance(50);
        let (code, parent) =
            if back { ("32.09.39.2001", kecamatan) } else { ("32.09.21.2016", other) };
        let old = cast.devices[KECAMATAN].id;
        let closes = self.ends(site, old, Some(cast.village));
        let alias = Alias {
            area: cast.village,
            code: code.parse().unwrap(),
            name: "Sambeng".to_owned(),
            parent,
            valid_from: 20_261_101,
            closes,
        };
        let deps = if self.numbers.chance(70) { standing } else { Vec::new() };
        self.note("village moved");
        self.declare_after(site, kabupaten, Payload::Alias(alias), deps)?;
        if self.numbers.chance(60) && !self.sites.iter().any(|it| it.device == OTHER_KECAMATAN) {
            self.site(OTHER_KECAMATAN, None, false);
            self.certify(site, OTHER_KECAMATAN, Rights::above_desa())?;
        }
        Ok(())
    }
}

fn certificate(whom: usize, rights: Rights) -> Certificate {
    let device = &Cast::get().devices[whom];
    let (keys, area) = (device.keys, device.area);
    Certificate { keys, area, rights, limits: Limits::default(), invited: None }
}
