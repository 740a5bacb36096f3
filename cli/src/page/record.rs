//! `/catatan/{id}`: one record, its fields by class, what is in conflict, and its history.

use askama::Template;
use crdt_schema::record::Kind;
use node::answer::{FieldShown, RecordEdit, RecordHistory, RecordShow, RevealedValue, Verdict};
use node::error::NodeError;
use node::node::Node;

use super::frame::{Frame, Ground, Homes, Tab};
use super::said::{self, Moment};
use super::value::{self, Shown};

/// Edits shown; the rest is counted.
const EDITS_SHOWN: usize = 100;

/// What the page asks of the node.
pub(super) struct Facts {
    ground: Ground,
    show: RecordShow,
    history: RecordHistory,
    homes: Homes,
    place: String,
}

impl Facts {
    pub(super) fn of(node: &Node, id: &str) -> Result<Self, NodeError> {
        let ground = Ground::of(node)?;
        // Nobody gave a purpose: what is specific stays hidden.
        let (show, history) = (node.record_show(id, None)?, node.record_history(id, None)?);
        let homes = Homes::of(node, history.edits.iter().map(|edit| edit.device));
        let place = said::place(&node.area_entry(&show.area));
        Ok(Self { ground, show, history, homes, place })
    }
}

/// The page.
#[derive(Template)]
#[template(path = "catatan.html")]
pub(super) struct Page {
    frame: Frame,
    name: String,
    id: String,
    short: String,
    kind: String,
    kind_title: String,
    place: String,
    status: Option<String>,
    /// Why the record does not count, where it does not.
    notice: Option<&'static str>,
    conflicts: usize,
    newer: bool,
    groups: Vec<Group>,
    edits: Vec<Edit>,
    edits_before: u64,
}

/// Fields of one class.
pub(super) struct Group {
    title: &'static str,
    about: &'static str,
    fields: Vec<Line>,
}

/// One field.
pub(super) struct Line {
    pub(super) label: String,
    pub(super) value: Shown,
    /// All values of a conflict, the shown one first; empty without one.
    pub(super) values: Vec<Held>,
}

/// One value of a conflict.
pub(super) struct Held {
    pub(super) value: Shown,
    pub(super) writer: String,
    pub(super) moment: Option<Moment>,
    pub(super) used: bool,
}

/// One save.
struct Edit {
    moment: Option<Moment>,
    received: Option<Moment>,
    writer: String,
    /// Why it does not count, where it does not.
    notice: Option<&'static str>,
    changes: Vec<Change>,
}

struct Change {
    label: String,
    done: &'static str,
    value: Option<Shown>,
}

impl Page {
    pub(super) fn new(facts: &Facts) -> Self {
        let show = &facts.show;
        let kind = value::kind(&show.kind);
        let name = name(kind, show);
        let edits = facts.history.edits.iter().rev().take(EDITS_SHOWN);
        let lines: Vec<(char, Line)> = show
            .fields
            .iter()
            .map(|(field, shown)| (class(shown), line(kind, field, shown, &facts.homes)))
            .collect();
        Self {
            frame: Frame::new(&facts.ground, name.clone(), Tab::Records),
            name,
            id: show.record.to_string(),
            short: show.record.short(),
            kind: value::kind_word(&show.kind),
            kind_title: value::kind_title(&show.kind),
            place: facts.place.clone(),
            status: status(kind, show),
            notice: notice(show.verdict),
            conflicts: lines.iter().filter(|(_, line)| !line.values.is_empty()).count(),
            newer: kind.is_none() || show.fields.iter().any(|(field, _)| field.starts_with('~')),
            groups: groups(lines),
            edits: edits.map(|edit| self::edit(kind, edit, &facts.homes)).collect(),
            edits_before: facts.history.edits.len().saturating_sub(EDITS_SHOWN) as u64
                + facts.history.left_out,
        }
    }
}

/// What a person calls the record.
pub(super) fn name(kind: Option<&Kind>, show: &RecordShow) -> String {
    let label = kind.map(|kind| kind.label).unwrap_or_default();
    let shown = show.fields.iter().find(|(name, _)| name == label).map(|(_, field)| &field.value);
    match shown {
        Some(RevealedValue::Shown(serde_json::Value::String(text))) => text.clone(),
        Some(_) | None => format!("Catatan {}", show.record.short()),
    }
}

fn status(kind: Option<&Kind>, show: &RecordShow) -> Option<String> {
    let field = kind.and_then(Kind::status_field)?;
    let (_, shown) = show.fields.iter().find(|(name, _)| name == field.name)?;
    Some(value::shown(Some(field), &shown.value).text)
}

fn class(shown: &FieldShown) -> char {
    shown.class.chars().next().unwrap_or('S')
}

/// One field with every value it has.
pub(super) fn line(kind: Option<&Kind>, field: &str, shown: &FieldShown, homes: &Homes) -> Line {
    let declared = kind.and_then(|kind| kind.field(field));
    let value = value::shown(declared, &shown.value);
    let mut values = Vec::new();
    if !shown.others.is_empty() {
        values.push(Held {
            value: value.clone(),
            writer: homes.writer(&shown.device, shown.person),
            moment: Moment::of(shown.claimed_at),
            used: true,
        });
        values.extend(shown.others.iter().map(|other| Held {
            value: value::shown(declared, &other.value),
            writer: homes.writer(&other.device, other.person),
            moment: Moment::of(other.claimed_at),
            used: false,
        }));
    }
    Line { label: value::label(kind, field), value, values }
}

/// What people ask for first stands first.
fn groups(lines: Vec<(char, Line)>) -> Vec<Group> {
    let mut groups = [
        Group {
            title: "Data pribadi",
            about: "Kelas U: dibaca petugas sesuai tugasnya.",
            fields: Vec::new(),
        },
        Group {
            title: "Penanganan dan hitungan",
            about: "Kelas T: dihitung di setiap tingkat tanpa nama.",
            fields: Vec::new(),
        },
        Group {
            title: "Data khusus",
            about: "Kelas S: kesehatan, anak, keuangan, perkara. Tersembunyi di halaman ini.",
            fields: Vec::new(),
        },
        Group {
            title: "Keterangan program",
            about: "Kelas P dan I: tanpa data orang.",
            fields: Vec::new(),
        },
    ];
    for (class, line) in lines {
        let place = match class {
            'U' => 0,
            'T' => 1,
            'P' | 'I' | 'o' => 3,
            _ => 2,
        };
        if let Some(group) = groups.get_mut(place) {
            group.fields.push(line);
        }
    }
    groups.into_iter().filter(|group| !group.fields.is_empty()).collect()
}

fn edit(kind: Option<&Kind>, edit: &RecordEdit, homes: &Homes) -> Edit {
    let change = |(name, added): &(String, node::answer::AddedValue)| {
        let field = name.trim_end_matches('-');
        let declared = kind.and_then(|kind| kind.field(field));
        let done = match added.op.as_str() {
            "put" => "diisi",
            "add" => "ditambah",
            "remove" => "dikurangi",
            _ => "dikosongkan",
        };
        let value = (added.op != "clear").then(|| value::shown(declared, &added.value));
        Change { label: value::label(kind, field), done, value }
    };
    Edit {
        moment: Moment::of(edit.claimed_at),
        received: Moment::of(edit.received_at).filter(|_| edit.received_at != edit.claimed_at),
        writer: homes.writer(&edit.device, edit.person),
        notice: notice(edit.verdict),
        changes: edit.fields.iter().map(change).collect(),
    }
}

const fn notice(verdict: Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Counting => None,
        Verdict::Waiting => Some("Menunggu: belum ikut daftar dan hitungan."),
        Verdict::Quarantined => Some("Disisihkan: tersimpan, tidak dihitung."),
        Verdict::SetAside => {
            Some("Terlalu besar: tersimpan, isinya tidak ditampilkan, tidak dihitung.")
        }
    }
}
