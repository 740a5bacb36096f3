//! Who plays and what happens: a list, made before anything is done, the same from the same
//! numbers.

use crdt_schema::area::{AreaCode, Level, base_areas};
use node::error::NodeError;

use crate::error::Failure;

/// The kecamatan the demo plays in: Gunung Jati, Kabupaten Cirebon.
const KECAMATAN: &str = "32.09.21";

/// The seed of the synthetic people; a village adds its place in the list.
pub(super) const SEED: u64 = 2026;

/// One node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Player {
    /// What the demo calls it, and its folder: `provinsi`, `desa-1`.
    pub(super) name: String,
    /// Where it belongs.
    pub(super) area: AreaCode,
    /// What people call the area.
    pub(super) area_name: String,
    /// Place in the list of the node that invites it; the first has none.
    pub(super) invited_by: Option<usize>,
}

/// Every node, from the province down; and how many records each village writes.
#[derive(Debug, Clone)]
pub(super) struct Cast {
    players: Vec<Player>,
    records: u64,
}

impl Cast {
    /// A province, a kabupaten, a kecamatan, and the first `villages` villages of it.
    ///
    /// # Errors
    /// `internal` when the table of areas has no such kecamatan or too few villages.
    pub(super) fn new(villages: usize, records: u64) -> Result<Self, Failure> {
        let kecamatan: AreaCode = KECAMATAN.parse().map_err(|_| absent())?;
        let kabupaten = kecamatan.parent().ok_or_else(absent)?;
        let provinsi = kabupaten.parent().ok_or_else(absent)?;
        let mut players = vec![
            player("provinsi".into(), provinsi, None)?,
            player("kabupaten".into(), kabupaten, Some(0))?,
            player("kecamatan".into(), kecamatan, Some(1))?,
        ];
        let below = base_areas().filter(|area| area.parent == Some(kecamatan.first_id()));
        for (number, area) in (1..).zip(below.take(villages)) {
            players.push(player(format!("desa-{number}"), area.code, Some(2))?);
        }
        if players.len() == villages + 3 { Ok(Self { players, records }) } else { Err(absent()) }
    }

    /// Every node, from the province down.
    pub(super) fn nodes(&self) -> &[Player] {
        &self.players
    }

    /// The area all of them share.
    pub(super) fn shared(&self) -> Result<AreaCode, Failure> {
        let hub = self.players.get(Self::HUB).ok_or_else(absent)?;
        Ok(hub.area)
    }

    /// Place of the kecamatan's hub.
    pub(super) const HUB: usize = 2;

    /// Place of the first village.
    pub(super) const FIRST_VILLAGE: usize = 3;

    /// The village that never has a connection: the last.
    pub(super) fn cut(&self) -> usize {
        self.players.len() - 1
    }

    fn villages(&self) -> std::ops::Range<usize> {
        Self::FIRST_VILLAGE..self.players.len()
    }

    /// Each village's share. The last one comes first: it takes what does not divide, for without a
    /// record of its own it had nothing to edit apart.
    fn shares(&self) -> Vec<(usize, u64)> {
        let count = self.villages().len() as u64;
        let share = |(left, village)| {
            let more = u64::from(left < self.records % count);
            (village, self.records / count + more)
        };
        (0..).zip(self.villages().rev()).map(share).filter(|(_, records)| *records > 0).collect()
    }
}

fn player(name: String, area: AreaCode, invited_by: Option<usize>) -> Result<Player, Failure> {
    let known = base_areas().find(|base| base.code == area).ok_or_else(absent)?;
    Ok(Player { name, area, area_name: known.name.to_owned(), invited_by })
}

fn absent() -> Failure {
    let what = "the demo's areas are not in the table".to_owned();
    NodeError::Internal { what }.into()
}

/// One thing that happens. Nodes are places in the cast's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The province founds the network.
    Found { node: usize },
    /// A node joins by invitation and is confirmed.
    Join { node: usize, by: usize },
    /// A village writes synthetic records.
    Write { node: usize, records: u64, seed: u64 },
    /// News travels until every node shows the same root of the shared area.
    Meet,
    /// Two nodes that have no news of each other change the same field of the same record.
    EditApart { one: usize, other: usize },
    /// Every node is asked what conflicts it sees.
    Watch,
    /// A node chooses one of the two values.
    Settle { node: usize },
    /// Every process ends in good order, the province first: its last words go down to the villages.
    Rest,
}

/// What happens, in order.
pub(super) fn steps(cast: &Cast) -> Vec<Step> {
    let mut steps = vec![Step::Found { node: 0 }];
    let joins = cast.nodes().iter().enumerate();
    steps.extend(joins.filter_map(|(node, player)| {
        let by = player.invited_by?;
        Some(Step::Join { node, by })
    }));
    let seeds = SEED..;
    steps.extend(cast.shares().into_iter().zip(seeds).map(|((node, records), seed)| Step::Write {
        node,
        records,
        seed,
    }));
    // The village without a connection has no news of what its kecamatan writes.
    let village = cast.cut();
    steps.extend([
        Step::Meet,
        Step::EditApart { one: village, other: Cast::HUB },
        Step::Meet,
        Step::Watch,
        Step::Settle { node: Cast::HUB },
        Step::Meet,
        Step::Watch,
        Step::Rest,
    ]);
    steps
}

/// The level's word, as in the contract.
pub(super) fn level(player: &Player) -> &'static str {
    let level: Level = player.area.level();
    level.name()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;

    fn written(steps: &[Step]) -> Vec<u64> {
        let records = |step: &Step| match step {
            Step::Write { records, .. } => Some(*records),
            Step::Found { .. }
            | Step::Join { .. }
            | Step::Meet
            | Step::Rest
            | Step::EditApart { .. }
            | Step::Watch
            | Step::Settle { .. } => None,
        };
        steps.iter().filter_map(records).collect()
    }

    #[test]
    fn the_villages_together_write_exactly_what_was_asked_for() {
        for (villages, records, shares) in [
            (3, 40, vec![14, 13, 13]),
            (3, 2, vec![1, 1]),
            (1, 7, vec![7]),
            (12, 12, vec![1; 12]),
            (12, 1, vec![1]),
        ] {
            let cast = Cast::new(villages, records).ok().unwrap();
            let steps = steps(&cast);
            assert_eq!(written(&steps), shares);
            let cut = cast.cut();
            let writes = |step: &Step| matches!(step, Step::Write { node, .. } if *node == cut);
            assert!(steps.iter().any(writes), "who edits apart has a record");
        }
    }

    #[test]
    fn the_village_that_edits_apart_writes_a_record_even_if_there_is_only_one() {
        for (villages, records) in [(1, 1), (3, 1), (3, 2), (12, 1), (12, 11)] {
            let cast = Cast::new(villages, records).ok().unwrap();
            assert!(cast.shares().iter().any(|(village, _)| *village == cast.cut()));
        }
    }

    #[test]
    fn everybody_but_the_province_is_invited_by_the_level_above() {
        let cast = Cast::new(3, 40).ok().unwrap();
        for player in cast.nodes().iter().skip(1) {
            let by = cast.nodes().get(player.invited_by.unwrap()).unwrap();
            assert_eq!(player.area.parent(), Some(by.area), "{}", player.name);
        }
    }

    #[test]
    fn the_table_has_as_many_villages_as_a_person_may_ask_for() {
        let most = usize::try_from(super::super::VILLAGES_MAX).unwrap();
        assert!(Cast::new(most, 1).is_ok());
    }

    #[test]
    fn a_conflict_is_made_before_it_is_watched_and_settled_before_it_is_watched_again() {
        let steps = steps(&Cast::new(3, 40).ok().unwrap());
        let place = |wanted: fn(&Step) -> bool| steps.iter().position(wanted).unwrap();
        let made = place(|step| matches!(step, Step::EditApart { .. }));
        let seen = place(|step| matches!(step, Step::Watch));
        let settled = place(|step| matches!(step, Step::Settle { .. }));
        assert!(made < seen && seen < settled);
        assert_eq!(steps.last(), Some(&Step::Rest));
    }
}
