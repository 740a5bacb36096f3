//! What is known without a node: areas, kinds of record, words.

use crdt_schema::area::{AreaCode, AreaId, AreaTree};

use crdt_schema::record::codes::CodeList;
use crdt_schema::record::{self, Field, Kind, Schema};

use crate::answer::{
    self, AreaEntry, AreaList, AreaName, AreaShow, CodeValue, Glossary, KindSchema, SchemaField,
    Transition,
};
use crate::echo;
use crate::error::NodeError;
use crate::reason::{self, Because};

/// The area a person means by a code or an id; of several that bear one code `own`, if it is one of
/// them: whoever sits there means no other.
///
/// # Errors
/// [`NodeError::Usage`] when it is no code, or that of several areas; [`NodeError::AreaUnknown`] when
/// no area bears it.
pub fn find_area(tree: &AreaTree, own: Option<AreaId>, text: &str) -> Result<AreaId, NodeError> {
    let text = text.trim();
    let found = tree.find(text);
    match found.as_slice() {
        [] => {}
        [area] => return Ok(*area),
        several => {
            let own = own.filter(|own| several.contains(own));
            return own.ok_or_else(|| shared(tree, text, several));
        }
    }
    match text.parse::<AreaCode>() {
        Err(error) if text.parse::<AreaId>().is_err() => Err(NodeError::area(text, error)),
        Ok(_) | Err(_) => Err(NodeError::AreaUnknown { code: text.to_owned() }),
    }
}

/// A code that several areas bear, told with what tells them apart.
fn shared(tree: &AreaTree, code: &str, areas: &[AreaId]) -> NodeError {
    let named = |area: &AreaId| format!("{area} ({})", tree.name(*area).unwrap_or_default());
    let areas: Vec<String> = areas.iter().map(named).collect();
    Because::of(&reason::CODE_SHARED).with("code", code).with("areas", areas.join(", ")).into()
}

/// An area as it is said in a sentence: today's code, and the id where another bears that code.
pub fn area_said(tree: &AreaTree, area: AreaId) -> String {
    let code = area_name(tree, area);
    if tree.shares_its_code(area) { format!("{code} ({area})") } else { code.to_string() }
}

/// An area under today's code.
pub fn area_name(tree: &AreaTree, area: AreaId) -> AreaName {
    let code = tree.code(area).or_else(|| area.first_code());
    code.map_or_else(|| AreaName::unknown(area), |code| AreaName::new(code, area))
}

/// One area with what lies above and directly below.
///
/// # Errors
/// As [`find_area`].
pub fn area_show(tree: &AreaTree, own: Option<AreaId>, code: &str) -> Result<AreaShow, NodeError> {
    let area = find_area(tree, own, code)?;
    let mut below: Vec<AreaEntry> =
        tree.children(area).iter().map(|child| area_entry(tree, *child)).collect();
    below.sort_by_key(|entry| entry.area.area);
    Ok(AreaShow {
        entry: area_entry(tree, area),
        above: tree.ancestors(area).into_iter().rev().map(|it| area_entry(tree, it)).collect(),
        below,
        former: tree.former_codes(area),
        later: tree.later_code(area),
    })
}

/// Every area in and below one, or of the whole network, in order of today's codes.
///
/// # Errors
/// As [`find_area`].
pub fn area_list(
    tree: &AreaTree,
    own: Option<AreaId>,
    under: Option<&str>,
) -> Result<AreaList, NodeError> {
    let top = under.map_or(Ok(tree.root()), |code| find_area(tree, own, code))?;
    let all = [top].into_iter().chain(tree.descendants(top));
    let mut areas: Vec<AreaEntry> = all.map(|area| area_entry(tree, area)).collect();
    areas.sort_by_key(|entry| entry.area.area.digits().to_owned());
    Ok(AreaList { total: areas.len() as u64, areas })
}

/// One area by itself.
pub fn area_entry(tree: &AreaTree, area: AreaId) -> AreaEntry {
    AreaEntry {
        area: area_name(tree, area),
        name: tree.name(area).unwrap_or_default().to_owned(),
        level: tree.level(area).name().to_owned(),
        shared_code: tree.shares_its_code(area),
    }
}

/// The kinds of record as they are declared, or one of them.
///
/// # Errors
/// [`NodeError::KindUnknown`].
pub fn schema(schema: &Schema, kind: Option<&str>) -> Result<answer::Schema, NodeError> {
    let kinds = match kind {
        None => schema.kinds().map(kind_schema).collect(),
        Some(name) => {
            let unknown = || NodeError::KindUnknown { kind: name.to_owned() };
            vec![kind_schema(schema.kind(name).ok_or_else(unknown)?)]
        }
    };
    Ok(answer::Schema { kinds })
}

/// Letters of a typed word for each of which one may be wrong.
const LETTERS_A_SLIP: usize = 3;
/// Words named where none holds what was asked for.
const NEAR_MAX: usize = 3;

/// The words of the programme: all in alphabetical order, or those that hold `term` in their word
/// or its long form, the word itself first, then those that begin so. Where there is none, the
/// words that `term` may have been meant for stand beside the empty list.
pub fn glossary(term: Option<&str>) -> Glossary {
    let asked = term.map(str::to_lowercase);
    let fits = |it: &&record::Term| {
        let Some(asked) = &asked else { return true };
        let holds = |text: &str| text.to_lowercase().contains(asked);
        holds(it.term) || it.long.is_some_and(holds)
    };
    let shown = |it: &record::Term| answer::Term {
        term: it.term.to_owned(),
        long: it.long.map(str::to_owned),
        meaning: it.meaning.to_owned(),
        english: it.english.to_owned(),
    };
    let mut terms: Vec<answer::Term> = record::glossary().iter().filter(fits).map(shown).collect();
    let asked = asked.unwrap_or_default();
    terms.sort_by_cached_key(|it| {
        let word = it.term.to_lowercase();
        (word != asked, !word.starts_with(&asked), word)
    });
    let near = if terms.is_empty() { near_words(asked.trim()) } else { Vec::new() };
    Glossary { terms, near }
}

/// Words as far from `asked` as a few slips of the finger, the nearest first.
fn near_words(asked: &str) -> Vec<String> {
    let far = asked.chars().count().div_ceil(LETTERS_A_SLIP);
    let slips =
        |it: &record::Term| Some((echo::slips(asked, &it.term.to_lowercase(), far)?, it.term));
    let mut near: Vec<_> = record::glossary().iter().filter_map(slips).collect();
    near.sort_unstable();
    near.into_iter().take(NEAR_MAX).map(|(_, term)| term.to_owned()).collect()
}

fn kind_schema(kind: &Kind) -> KindSchema {
    let transition = |(from, to): &(&'static str, &'static [&'static str])| Transition {
        from: (*from).to_owned(),
        to: to.iter().map(|it| (*it).to_owned()).collect(),
    };
    KindSchema {
        kind: kind.name.to_owned(),
        number: kind.number,
        title: kind.title.to_owned(),
        fields: kind.fields.iter().map(schema_field).collect(),
        transitions: kind.transitions.iter().map(transition).collect(),
    }
}

fn schema_field(field: &Field) -> SchemaField {
    let codes = |list: &'static CodeList| {
        let value = |code: &record::codes::Code| CodeValue {
            code: code.code.to_owned(),
            title: code.title.to_owned(),
        };
        list.codes.iter().map(value).collect()
    };
    SchemaField {
        field: field.name.to_owned(),
        number: field.number,
        title: field.label.to_owned(),
        class: field.class.letter().to_string(),
        value_type: field.value.name().to_owned(),
        merge: field.merge.name().to_owned(),
        required: field.required,
        codes: field.value.codes().map(codes).unwrap_or_default(),
    }
}
