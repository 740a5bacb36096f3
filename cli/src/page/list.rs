//! `/catatan`: records with search and filters, a page at a time.

use std::collections::BTreeMap;

use askama::Template;
use crdt_schema::area::Level;
use crdt_schema::record::Schema;
use node::answer::{AreaEntry, RecordList};
use node::error::NodeError;
use node::node::{ListAsk, Node, is_search};
use serde::Deserialize;

use super::frame::{Frame, Ground, Tab};
use super::said::{self, Moment};
use super::value;

/// Rows of a page: a screen or two, and little to send over a bad line.
const ROWS: usize = 50;

/// Instead of a count, where signs alone were typed.
const NO_SEARCH: &str = "Pencarian memerlukan huruf atau angka.";

/// Pages that can be counted; no register of a village comes near.
const SHEETS_MAX: u64 = 1_000_000;

/// The filters as an address or a form holds them; none of them is a person's.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    pub(super) jenis: String,
    #[serde(default)]
    pub(super) status: String,
    #[serde(default)]
    pub(super) konflik: String,
    /// Number of a search.
    #[serde(default)]
    pub(super) cari: String,
    /// Where the page before ended.
    #[serde(default)]
    pub(super) setelah: String,
    /// Which page this is, for people to know where they are.
    #[serde(default)]
    pub(super) lembar: String,
}

impl Wanted {
    /// The filters as an address; what is empty is left out.
    pub(super) fn address(&self, after: Option<&str>) -> String {
        let next = after.map(|_| (self.sheet() + 1).to_string()).unwrap_or_default();
        let parts = [
            ("jenis", self.jenis.as_str()),
            ("status", self.status.as_str()),
            ("konflik", self.konflik.as_str()),
            ("cari", self.cari.as_str()),
            ("setelah", after.unwrap_or_default()),
            ("lembar", &next),
        ];
        // Whatever is typed into an address goes into one again only in these letters.
        let plain = |text: &str| -> String {
            text.chars().filter(|c| c.is_ascii_alphanumeric() || "_-~".contains(*c)).collect()
        };
        let parts = parts.into_iter().filter(|(_, text)| !text.is_empty());
        let parts: Vec<String> =
            parts.map(|(name, text)| format!("{name}={}", plain(text))).collect();
        if parts.is_empty() {
            "/catatan".to_owned()
        } else {
            format!("/catatan?{}", parts.join("&"))
        }
    }

    /// Which page this is, from 1. Only what follows another can be a later one.
    fn sheet(&self) -> u64 {
        let said = self.lembar.parse().ok().filter(|_| !self.setelah.is_empty());
        said.unwrap_or(1).clamp(1, SHEETS_MAX)
    }

    fn ask(&self, query: Option<&str>) -> ListAsk {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        ListAsk {
            kind: some(&self.jenis),
            area: None,
            query: query.map(str::to_owned),
            status: some(&self.status),
            conflicts_only: !self.konflik.is_empty(),
            limit: ROWS,
            after: some(&self.setelah),
            layer: None,
        }
    }
}

/// What the page asks of the node.
pub(super) struct Facts {
    ground: Ground,
    list: RecordList,
    areas: Vec<AreaEntry>,
    wanted: Wanted,
    query: Option<String>,
}

impl Facts {
    pub(super) fn of(
        node: &Node,
        wanted: Wanted,
        query: Option<String>,
    ) -> Result<Self, NodeError> {
        let ground = Ground::of(node)?;
        let list = match &query {
            Some(query) if !is_search(query) => {
                RecordList { total: 0, records: Vec::new(), next: None }
            }
            _ => node.record_list(&wanted.ask(query.as_deref()))?,
        };
        // In a village every record is of that village.
        let several = ground.home.area.area.level() != Level::Desa;
        let mut areas: BTreeMap<_, _> = BTreeMap::new();
        for row in list.records.iter().filter(|_| several) {
            areas.entry(row.area).or_insert_with(|| node.area_entry(&row.area));
        }
        Ok(Self { ground, list, areas: areas.into_values().collect(), wanted, query })
    }
}

/// One record as lists show it.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) kind: String,
    pub(super) status: String,
    pub(super) area: Option<String>,
    pub(super) conflicts: u32,
    pub(super) changed: Option<Moment>,
}

pub(super) fn rows(list: &RecordList, areas: &[AreaEntry]) -> Vec<Row> {
    let row = |row: &node::answer::RecordRow| Row {
        id: row.record.to_string(),
        label: row.label.clone().unwrap_or_else(|| format!("Catatan {}", row.record.short())),
        kind: value::kind_word(&row.kind),
        status: row
            .status
            .as_deref()
            .map(|state| value::state(value::kind(&row.kind), state))
            .unwrap_or_default(),
        area: areas.iter().find(|area| area.area == row.area).map(said::place),
        conflicts: row.conflicts,
        changed: Moment::of(row.changed_at),
    };
    list.records.iter().map(row).collect()
}

/// One choice of a form.
pub(super) struct Choice {
    value: &'static str,
    text: String,
    chosen: bool,
}

/// The page.
#[expect(clippy::struct_excessive_bools, reason = "what a template asks is a yes or a no")]
#[derive(Template)]
#[template(path = "daftar.html")]
pub(super) struct Page {
    frame: Frame,
    kinds: Vec<Choice>,
    states: Vec<Choice>,
    conflicts_only: bool,
    query: String,
    /// A search by a number nobody remembers.
    forgotten: bool,
    summary: String,
    filtered: bool,
    with_area: bool,
    rows: Vec<Row>,
    first: bool,
    begin: String,
    next: Option<String>,
}

impl Page {
    pub(super) fn new(facts: &Facts) -> Self {
        let (wanted, list) = (&facts.wanted, &facts.list);
        let filtered = facts.query.is_some()
            || [&wanted.jenis, &wanted.status, &wanted.konflik].iter().any(|it| !it.is_empty());
        Self {
            frame: Frame::new(&facts.ground, "Catatan", Tab::Records),
            kinds: kinds(&wanted.jenis),
            states: states(&wanted.jenis, &wanted.status),
            conflicts_only: !wanted.konflik.is_empty(),
            query: facts.query.clone().unwrap_or_default(),
            forgotten: !wanted.cari.is_empty() && facts.query.is_none(),
            summary: match &facts.query {
                Some(query) if !is_search(query) => NO_SEARCH.to_owned(),
                _ => summary(list, filtered, wanted),
            },
            filtered,
            with_area: !facts.areas.is_empty(),
            rows: rows(list, &facts.areas),
            first: wanted.setelah.is_empty(),
            begin: wanted.address(None),
            next: list.next.as_deref().map(|after| wanted.address(Some(after))),
        }
    }
}

fn summary(list: &RecordList, filtered: bool, wanted: &Wanted) -> String {
    let found = found(list.total, filtered);
    let sheets = list.total.div_ceil(ROWS as u64);
    if sheets < 2 {
        return found;
    }
    let sheet = wanted.sheet().min(sheets);
    format!("{found} Lembar {} dari {}.", said::number(sheet), said::number(sheets))
}

fn found(total: u64, filtered: bool) -> String {
    match (total, filtered) {
        (0, true) => "Tidak ada catatan yang cocok.".to_owned(),
        (0, false) => {
            "Belum ada catatan di simpul ini. Tambahkan dengan wksbm record add, atau baca lembar \
                       sebar dengan wksbm import."
                .to_owned()
        }
        (total, true) => format!("{} catatan cocok.", said::number(total)),
        (total, false) => format!("{} catatan.", said::number(total)),
    }
}

fn kinds(chosen: &str) -> Vec<Choice> {
    let choice = |kind: &'static crdt_schema::record::Kind| Choice {
        value: kind.name,
        text: value::kind_word(kind.name),
        chosen: kind.name == chosen,
    };
    Schema::standard().kinds().map(choice).collect()
}

/// The states of one kind, or of all, each once.
fn states(kind: &str, chosen: &str) -> Vec<Choice> {
    let mut states: Vec<Choice> = Vec::new();
    let kinds = Schema::standard().kinds().filter(|it| kind.is_empty() || it.name == kind);
    let lists = kinds.filter_map(|kind| kind.status_field()?.value.codes());
    for code in lists.flat_map(|list| list.codes) {
        if !states.iter().any(|known| known.value == code.code) {
            let (value, text) = (code.code, code.title.to_owned());
            states.push(Choice { value, text, chosen: value == chosen });
        }
    }
    states
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_the_filters_and_nothing_else() {
        let wanted = Wanted {
            jenis: "ppks".to_owned(),
            cari: "3".to_owned(),
            setelah: "32092120010-1-00ff".to_owned(),
            ..Wanted::default()
        };
        assert_eq!(wanted.address(None), "/catatan?jenis=ppks&cari=3");
        let next = wanted.address(Some("32092120010-1-0a"));
        assert_eq!(next, "/catatan?jenis=ppks&cari=3&setelah=32092120010-1-0a&lembar=2");
        assert_eq!(Wanted::default().address(None), "/catatan");
        let odd = Wanted { jenis: "a&b=\"<c>\r\nSet-Cookie".to_owned(), ..Wanted::default() };
        assert_eq!(odd.address(None), "/catatan?jenis=abcSet-Cookie");
    }

    #[test]
    fn a_list_of_several_pages_says_which_one_this_is() {
        let said = |total, setelah: &str, lembar: &str| {
            let list = RecordList { total, records: Vec::new(), next: None };
            let wanted = Wanted {
                setelah: setelah.to_owned(),
                lembar: lembar.to_owned(),
                ..Wanted::default()
            };
            summary(&list, false, &wanted)
        };
        assert_eq!(said(50, "", ""), "50 catatan.");
        assert_eq!(said(20_000, "", "7"), "20.000 catatan. Lembar 1 dari 400.");
        assert_eq!(said(20_000, "x", "7"), "20.000 catatan. Lembar 7 dari 400.");
        assert_eq!(said(51, "x", "99999999999"), "51 catatan. Lembar 2 dari 2.");
        assert_eq!(said(51, "x", "<b>"), "51 catatan. Lembar 1 dari 2.");
        assert!(said(0, "", "").contains("wksbm record add"));
    }

    #[test]
    fn states_of_all_kinds_stand_once() {
        let all = states("", "terdata");
        let mut values: Vec<&str> = all.iter().map(|it| it.value).collect();
        let count = values.len();
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), count);
        assert!(all.iter().any(|it| it.chosen && it.text == "Terdata"));
        assert!(states("ppks", "").len() < count);
    }
}
