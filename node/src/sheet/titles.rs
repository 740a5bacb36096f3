//! What the titles of one kind mean: each known one folded once, however many cells are looked up.

use std::collections::BTreeMap;

use crdt_schema::record::{Field, Kind};

use super::names::{NAMES, PLACE_AND_DAY, RT_AND_RW, RW_AND_RT, fold};
use crate::echo::slips;

/// Letters of a title for each of which one more may differ from a known one's: a short name of a
/// person resembles many a title.
const LETTERS_A_SLIP: usize = 5;
/// In a map, what means both fields of a shared column.
const PLACE_AND_DAY_NAME: &str = "tempat_tanggal_lahir";
const RT_AND_RW_NAME: &str = "rt_rw";

/// What one column means.
#[derive(Debug, Clone, Copy)]
pub(super) enum Column {
    /// One field.
    Field(&'static Field),
    /// A place and a day of birth.
    PlaceAndDay(&'static Field, &'static Field),
    /// Two numbers: of the first field, of the second.
    Neighbourhood(&'static Field, &'static Field),
    /// Nothing here.
    None,
}

impl Column {
    pub(super) fn fields(self) -> impl Iterator<Item = &'static Field> {
        let (first, second) = match self {
            Self::Field(field) => (Some(field), None),
            Self::PlaceAndDay(first, second) | Self::Neighbourhood(first, second) => {
                (Some(first), Some(second))
            }
            Self::None => (None, None),
        };
        first.into_iter().chain(second)
    }
}

/// The known titles of one kind, as [`fold`] leaves them.
#[derive(Debug)]
pub(super) struct Titles<'a> {
    kind: &'a Kind,
    columns: BTreeMap<String, Column>,
}

impl<'a> Titles<'a> {
    /// Of two fields with one title that which has it as its name is meant, then as its label, then as
    /// an alias; after those what offices call the columns.
    pub(super) fn of(kind: &'a Kind) -> Self {
        let each = || kind.fields.iter();
        let declared = each().map(|field| (field.name, field));
        let declared = declared.chain(each().map(|field| (field.label, field)));
        let aliased = each().flat_map(|it| it.aliases.iter().map(move |alias| (*alias, it)));
        let declared = declared.chain(aliased);
        let declared = declared.map(|(title, field)| (fold(title), Some(Column::Field(field))));
        let shared = [
            (PLACE_AND_DAY, place_and_day(kind)),
            (RT_AND_RW, neighbourhood(kind, "rt", "rw")),
            (RW_AND_RT, neighbourhood(kind, "rw", "rt")),
        ];
        let called =
            NAMES.iter().map(|(field, names)| (*names, kind.field(field).map(Column::Field)));
        let called = shared
            .into_iter()
            .chain(called)
            .flat_map(|(names, column)| names.iter().map(move |name| ((*name).to_owned(), column)));
        let mut columns = BTreeMap::new();
        for (title, column) in declared.chain(called) {
            if let Some(column) = column {
                columns.entry(title).or_insert(column);
            }
        }
        Self { kind, columns }
    }

    /// What a folded title means.
    pub(super) fn meaning(&self, folded: &str) -> Option<Column> {
        self.columns.get(folded).copied()
    }

    /// A field, or a pair of them, by the name a map gives it.
    pub(super) fn named(&self, name: &str) -> Option<Column> {
        let name = name.trim();
        match name {
            "" => Some(Column::None),
            PLACE_AND_DAY_NAME => place_and_day(self.kind),
            RT_AND_RW_NAME => neighbourhood(self.kind, "rt", "rw"),
            _ => self.kind.field(name).map(Column::Field),
        }
    }

    /// The field one of whose titles was meant, by a slip or two.
    pub(super) fn resembled(&self, folded: &str) -> Option<&'static str> {
        let most = folded.chars().count() / LETTERS_A_SLIP;
        let slipped = self.columns.iter().filter_map(|(title, column)| {
            let Column::Field(field) = column else { return None };
            Some((slips(folded, title, most)?, field.name))
        });
        slipped.min().map(|(_, field)| field)
    }
}

fn place_and_day(kind: &Kind) -> Option<Column> {
    Some(Column::PlaceAndDay(kind.field("tempat_lahir")?, kind.field("tanggal_lahir")?))
}

fn neighbourhood(kind: &Kind, first: &str, second: &str) -> Option<Column> {
    Some(Column::Neighbourhood(kind.field(first)?, kind.field(second)?))
}

#[cfg(test)]
mod tests {
    use crdt_schema::record::Schema;

    use super::*;

    #[test]
    fn every_name_of_a_kind_means_a_field_of_it() {
        for kind in Schema::standard().kinds() {
            let titles = Titles::of(kind);
            for field in kind.fields {
                let found = titles.meaning(&fold(field.name)).map(|it| it.fields().next());
                assert_eq!(found.flatten().map(|it| it.name), Some(field.name));
            }
        }
        for (_, names) in NAMES {
            for name in *names {
                assert_eq!(fold(name), *name);
            }
        }
    }
}
