//! What a node is given: the kinds of record, a clock and randomness.

use std::sync::Arc;

use crdt_schema::id::RecordId;
use crdt_schema::record::Schema;

use crate::clock::{SystemClock, SystemEntropy};
use crate::error::NodeError;
use crate::ports::{Clock, Entropy};

/// The surroundings of a node.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The kinds of record.
    pub schema: Arc<Schema>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub entropy: Arc<dyn Entropy>,
}

impl Environment {
    /// This machine's clock and randomness.
    pub fn system(schema: Arc<Schema>) -> Self {
        Self { schema, clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy) }
    }

    /// Random bytes.
    ///
    /// # Errors
    /// [`NodeError::Internal`] when the system has none.
    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], NodeError> {
        let mut bytes = [0; N];
        self.entropy
            .fill(&mut bytes)
            .map_err(|error| NodeError::Internal { what: error.to_string() })?;
        Ok(bytes)
    }

    /// A random number.
    pub(crate) fn random_u64(&self) -> Result<u64, NodeError> {
        self.random().map(u64::from_be_bytes)
    }

    /// A new record's id.
    pub(crate) fn record_id(&self) -> Result<RecordId, NodeError> {
        self.random().map(RecordId)
    }
}
