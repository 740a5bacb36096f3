//! Each rule that is easily forgotten, and histories in which forgetting it would show: a program
//! without the rule would say there what the naive telling says without it.

use super::cast::{FEEDS, World};
use super::deeds::deed;
use super::naive::{Naive, Rule};
use super::small::told_alike;

/// Some of the histories of a rule show it: which of two branches is the lower is chance.
const SHOWN: [(Rule, &[&[&str]]); 15] = [
    (Rule::JoinsWithItsKey, &[&["district invites", "guest joins with another key"]]),
    (Rule::AsksForNoMore, &[&["district invites", "guest asks for more than it was invited to"]]),
    (Rule::AsksForItself, &[&["district invites", "guest joins with another's keys"]]),
    (Rule::AsksWhereInvited, &[&["district invites", "guest asks in the village to be elsewhere"]]),
    (
        Rule::WritesWhereInvited,
        &[&["district invites", "guest asks elsewhere to be in the village"]],
    ),
    (
        Rule::CertificateInItsArea,
        &[
            &["district certifies a new one out of its own area"],
            &["district certifies a new one far away out of its own area"],
        ],
    ),
    (
        Rule::ConfirmationInItsArea,
        &[
            &["district confirms the guest out of its own area"],
            &["district confirms the guest far away out of the village"],
        ],
    ),
    (
        Rule::InvitationInItsArea,
        &[
            &["district takes in a guest out of its own area"],
            &["district takes in a guest far away out of its own area"],
        ],
    ),
    (Rule::CutsAddUp, &[&["regency revokes the village and cuts it in two areas"]]),
    (
        Rule::CutsNarrow,
        &[
            &[
                "regency revokes the village",
                "district cuts the village at 5",
                "district cuts the village's restored records",
            ],
            &[
                "regency revokes the village",
                "regency cuts the village at 3",
                "district cuts the village's restored records",
            ],
        ],
    ),
    (
        Rule::HeardOnTheWay,
        &[
            &["a copy of the district certifies a new one", "regency closes the district"],
            &[
                "a copy of the district certifies a new one",
                "regency closes the district at its other branch",
            ],
            &["regency closes the district at ends nobody holds"],
        ],
    ),
    (
        Rule::ClosedOnTheWay,
        &[
            &["village and its copy close it", "district closes the village"],
            &["village and its copy close it", "district closes the village at its other branch"],
        ],
    ),
    (
        Rule::JoinedOnTheWay,
        &[
            &["district takes in a guest and its copy at once", "district closes the guest"],
            &[
                "district takes in a guest and its copy at once",
                "district closes the guest at its other branch",
            ],
            &[
                "district takes in a guest at once",
                "district closes the guest at ends nobody holds",
            ],
        ],
    ),
    (Rule::FirstClosing, &[&["village closes itself", "village closes itself and names nothing"]]),
    (
        Rule::EveryFeedCloses,
        &[
            &["village closes itself", "village closes itself after a restore"],
            &["village closes itself and names nothing", "village closes itself after a restore"],
        ],
    ),
];

/// Whether the rule decides how some feed stands after these deeds, by which the product stands too.
fn shows(rule: Rule, history: &[&str]) -> bool {
    let mut world = World::new();
    for name in history {
        deed(name).1(&mut world);
    }
    let (_, naive) = told_alike(&world, history);
    let without = Naive::without(&world, rule);
    FEEDS.iter().any(|name| naive.standing(name) != without.standing(name))
}

#[test]
fn every_rule_that_is_left_out_is_missed_in_some_history() {
    for (rule, histories) in SHOWN {
        let shown: Vec<bool> = histories.iter().map(|history| shows(rule, history)).collect();
        assert!(shown.contains(&true), "{rule:?} is missed in none of {histories:?}");
    }
}
