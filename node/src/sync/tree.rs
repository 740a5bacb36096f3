//! The authority's tree of areas, as the summary asks for it.

use crdt_schema::area::{AreaId, AreaTree};

use super::summary::Tree;

impl Tree for AreaTree {
    fn parent(&self, area: AreaId) -> Option<AreaId> {
        Self::parent(self, area)
    }

    fn children(&self, area: AreaId) -> Vec<AreaId> {
        Self::children(self, area).to_vec()
    }

    fn above(&self, area: AreaId) -> Vec<AreaId> {
        Self::above(self, area).into_iter().collect()
    }
}
