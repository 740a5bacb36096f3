//! Ids that a save names: whether the record they mean is held here. Nothing is refused, for a record
//! may be another village's, or not have come yet.

use crdt_schema::edit::{Action, Op};
use crdt_schema::record::{Field, Kind, Notice, Plan, ValueType, rules};

use super::Node;
use crate::error::NodeError;

impl Node {
    /// A warning for each field in which `plan` puts the id of a record, of the kind the field asks
    /// for, that is not held here.
    pub(super) fn missing_references(
        &self,
        kind: &Kind,
        plan: &Plan,
    ) -> Result<Vec<Notice>, NodeError> {
        let mut notices = Vec::new();
        for op in plan.sections.iter().flat_map(|(_, section)| section.ops()) {
            let Some((field, wanted, id)) = reference(kind, op) else { continue };
            let wanted = self.env.schema.kind(wanted).map(|kind| kind.number);
            let found = self.replica.find(id).map_err(|error| self.store_error(error))?;
            let notice = Notice::new(field.name, &rules::REFERENCE_ABSENT);
            if !found.iter().any(|key| Some(key.kind) == wanted) && !notices.contains(&notice) {
                notices.push(notice);
            }
        }
        Ok(notices)
    }
}

/// Where an operation puts a reference: the field, the kind it asks for, and the id.
fn reference<'a>(kind: &Kind, op: &'a Op) -> Option<(&'static Field, &'static str, &'a str)> {
    let field = kind.field_numbered(op.field)?;
    let ValueType::Reference(wanted) = field.value else { return None };
    let Action::Put(value) = &op.action else { return None };
    let id = value.as_text().or(op.element.as_deref())?;
    Some((field, wanted, id))
}
