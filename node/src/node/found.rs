//! A new network: the root statement, its key, and the first provincial device.

use std::path::Path;

use crdt_schema::area::{AreaCode, AreaTree, Level};
use crdt_schema::authority::{NAME_BYTES_MAX, RootStatement};
use crdt_schema::unseen;

use super::env::Environment;
use super::{Node, folder};
use crate::answer::{AreaName, NetworkCreate};
use crate::error::NodeError;
use crate::reason::{self, Because};

/// What `network create` asks for. Every network is a trial until sealing exists.
#[derive(Debug, Clone)]
pub struct CreateNetwork {
    /// What people call it.
    pub name: String,
    /// Code of the province.
    pub area: String,
}

impl Node {
    /// Makes keys, a root statement of one key, and the first node of the network.
    ///
    /// # Errors
    /// [`NodeError`] when the folder holds a node already, the area is no province, the name is
    /// empty, too long or holds signs that nobody sees, or the disk fails.
    pub fn create_network(
        path: &Path,
        env: &Environment,
        ask: &CreateNetwork,
    ) -> Result<NetworkCreate, NodeError> {
        let code: AreaCode =
            ask.area.trim().parse().map_err(|error| NodeError::area(&ask.area, error))?;
        if code.level() != Level::Provinsi {
            let what = Because::of(&reason::NETWORK_PROVINCE).with("code", code);
            return Err(what.into());
        }
        let name = ask.name.trim();
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return Err(Because::of(&reason::NETWORK_NAME).with("most", NAME_BYTES_MAX).into());
        }
        // A line of a list, a title: one line of signs that people see.
        let is_unseen = |sign: char| {
            sign.is_control() || unseen::is_refused(sign) || unseen::is_slipped_in(sign)
        };
        if name.chars().any(is_unseen) {
            return Err((&reason::NETWORK_NAME_SIGNS).into());
        }
        if AreaTree::new(code.first_id()).name(code.first_id()).is_none() {
            return Err(NodeError::AreaUnknown { code: ask.area.clone() });
        }
        let _claim = folder::claim(path)?;
        let mut keys = folder::make_keys(path, env)?;
        let failed = |error| NodeError::keys(&path.join(folder::KEYS), error);
        keys.create_root(&*env.entropy).map_err(failed)?;
        let root = keys.root_secrets().last().ok_or_else(|| NodeError::Internal {
            what: "a root key that was made is not there".to_owned(),
        })?;
        let statement = RootStatement {
            name: name.to_owned(),
            area: code.first_id(),
            trial: true,
            threshold: 1,
            keys: vec![root.public()],
            devices: vec![keys.keys()],
        };
        let signed = statement.clone().sign(std::slice::from_ref(root)).map_err(|error| {
            NodeError::Internal { what: format!("a root statement of our own: {error}") }
        })?;
        folder::write_config(path, &signed, keys.device(), env.clock.now())?;
        folder::make_store(path, env, &signed, keys.device(), |_, _| Ok(()))?;
        Ok(NetworkCreate {
            network: statement.network(),
            name: statement.name,
            area: AreaName::new(code, code.first_id()),
            device: keys.device(),
            keys: 1,
            threshold: 1,
            trial: true,
        })
    }
}
