//! What people see of the demo: the tree it begins with and the table it ends with.

use node::answer::{Demo, DemoNode};

use super::plan::Player;
use crate::commands::show;
use crate::report::Page;
use crate::words::{Fact, Words};

/// Digits of a root in the table: enough for eyes to compare.
const ROOT_DIGITS: usize = 16;

/// The nodes as a tree, each below the one that invites it.
pub(super) fn tree(players: &[Player]) -> String {
    let mut lines = Vec::new();
    branch(players, None, "", &mut lines);
    lines.join("\n")
}

fn branch(players: &[Player], above: Option<usize>, indent: &str, lines: &mut Vec<String>) {
    let below: Vec<(usize, &Player)> =
        players.iter().enumerate().filter(|(_, player)| player.invited_by == above).collect();
    for (number, (place, player)) in below.iter().enumerate() {
        let last = number + 1 == below.len();
        let (arm, under) = match (above, last) {
            (None, _) => ("", ""),
            (Some(_), true) => ("\u{2514}\u{2500} ", "   "),
            (Some(_), false) => ("\u{251c}\u{2500} ", "\u{2502}  "),
        };
        let Player { name, area, area_name, .. } = player;
        lines.push(format!("{indent}{arm}{name}  {area_name} ({area})"));
        branch(players, Some(*place), &format!("{indent}{under}"), lines);
    }
}

/// The table of roots, and what the way there cost.
pub(super) fn end(page: &mut Page, words: Words, demo: &Demo) {
    let heads = ["page-name", "page-area", "page-records", "page-entries", "page-root"];
    let row = |node: &DemoNode| {
        vec![
            node.name.clone(),
            node.area.to_string(),
            node.records.to_string(),
            node.entries.to_string(),
            node.root.to_string().chars().take(ROOT_DIGITS).collect(),
        ]
    };
    page.table(show::heads(words, heads), demo.nodes.iter().map(row).collect());
    if demo.equal {
        let facts = [Fact::new("nodes", demo.nodes.len()), Fact::new("area", demo.area)];
        page.good(words.say_with("demo-equal", &facts));
    }
    let spoken = demo.nodes.iter().find_map(|node| node.words.as_ref());
    if let Some(spoken) = spoken.filter(|_| demo.equal) {
        page.pair(words.say("page-words"), spoken.join(" "));
    }
    let seen = demo.conflicts.seen_by.values().filter(|count| **count > 0).count();
    let facts = [
        Fact::new("made", demo.conflicts.made),
        Fact::new("seeing", seen),
        Fact::new("nodes", demo.nodes.len()),
        Fact::new("left", demo.conflicts.left),
    ];
    page.pair(words.say("page-conflicts"), words.say_with("demo-conflicts", &facts));
    let facts = [Fact::new("node", &demo.cut.node), Fact::new("count", demo.cut.bundles.len())];
    page.pair(words.say("demo-cut"), words.say_with("demo-cut-by", &facts));
    page.pair(words.say("demo-bundle-bytes"), show::size(demo.bundle_bytes));
    page.pair(words.say("demo-wire-bytes"), show::size(demo.wire_bytes));
    page.pair(words.say("page-seconds"), format!("{:.1}", demo.seconds));
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::super::plan::Cast;
    use super::*;

    #[test]
    fn the_picture_shows_every_node_below_the_one_that_invites_it() {
        let drawn = tree(Cast::new(2, 1).ok().unwrap().nodes());
        let lines: Vec<&str> = drawn.lines().collect();
        assert_eq!(lines.len(), 5);
        assert!(lines.first().unwrap().starts_with("provinsi  Jawa Barat (32)"), "{drawn}");
        assert!(lines.get(2).unwrap().starts_with("   \u{2514}\u{2500} kecamatan"), "{drawn}");
        assert!(lines.get(3).unwrap().contains("\u{251c}\u{2500} desa-1"), "{drawn}");
        assert!(lines.get(4).unwrap().contains("\u{2514}\u{2500} desa-2"), "{drawn}");
    }
}
