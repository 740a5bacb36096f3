//! `status`: one node at a glance.

use node::answer::{
    AreaEntry, Arrived, ForkPlace, ForkSeen, PeerSeen, Refusal, SessionSeen, SharedCode,
    SharedInvitation, Status, Takes,
};

use node::ask::ShowStatus;

use super::member::state;
use super::show;
use crate::context::Context;
use crate::error::Failure;
use crate::report::{Page, Report};
use crate::words::{Fact, Words};

pub(crate) fn run(context: &mut Context<'_>) -> Result<Report, Failure> {
    let reached = context.reach()?;
    context.tell_if_trial(reached.is_trial());
    let status = reached.put(ShowStatus {}, &mut context.unseen())?;
    context.report(&status, fill)
}

fn fill(page: &mut Page, words: Words, status: &Status) {
    page.title(format!("{}  {}", status.name, status.area));
    page.pair(words.say("page-network"), status.network);
    page.pair(words.say("page-trial"), show::yes(status.trial, words));
    page.pair(words.say("page-device"), status.device);
    page.pair(words.say("page-state"), state(status.state, words));
    page.pair(words.say("page-rights"), status.rights.join(", "));
    page.pair(words.say("page-version"), &status.version);
    page.pair(words.say("page-running"), show::yes(status.running, words));
    page.pair(words.say("page-records"), status.records);
    page.pair(words.say("page-entries"), format!("{} ({})", status.entries, status.feeds));
    page.pair(words.say("page-size"), show::size(status.store.bytes));
    if status.open_only {
        page.warning(words.say("page-open-only"));
    }
    troubles(page, words, status);
    arrived(page, words, &status.arrived);
    peers(page, words, &status.peers);
    sessions(page, words, &status.sessions);
}

/// What a person should look at; nothing is said where there is nothing.
fn troubles(page: &mut Page, words: Words, status: &Status) {
    let counts = [
        ("page-trouble-conflicts", status.conflicts),
        ("page-trouble-set-aside", status.set_aside),
        ("page-trouble-deps", status.waiting_deps),
        ("page-trouble-confirmation", status.waiting_confirmation),
        ("page-trouble-adoption", status.awaiting_adoption),
        ("page-trouble-quarantined", status.quarantined.saturating_sub(status.awaiting_adoption)),
    ];
    for (key, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        page.warning(words.say_with(key, &[Fact::new("count", count)]));
    }
    let room = match status.store.takes {
        Takes::Everything => None,
        Takes::OwnArea => Some("page-trouble-own-area"),
        Takes::OwnSaves => Some("page-trouble-own-saves"),
    };
    if let Some(key) = room {
        let free = show::size(status.store.free.unwrap_or_default());
        page.warning(words.say_with(key, &[Fact::new("free", free)]));
    }
    if !status.clock.plausible {
        page.warning(words.say("page-trouble-clock"));
    }
    for Refusal { address, reason, wait_seconds, since } in &status.refused {
        let facts = [
            Fact::new("address", address),
            Fact::new("reason", reason),
            Fact::new("wait", wait_seconds.unwrap_or_default()),
            Fact::new("since", show::moment(Some(*since))),
        ];
        page.warning(words.say_with("page-trouble-refused", &facts));
    }
    for ForkSeen { feed, seq, device, places, .. } in &status.forks {
        let names: Vec<String> = places.iter().map(|it| place(it, status, words)).collect();
        let facts = [
            Fact::new("entry", format!("{}:{seq}", show::short(feed))),
            Fact::new("device", show::short(device)),
            Fact::new("places", names.join(", ")),
        ];
        page.warning(words.say_with("page-trouble-fork", &facts));
    }
    shared(page, words, status);
    areas(page, words, status);
}

/// Areas that somebody above must tell apart, or decide about.
fn areas(page: &mut Page, words: Words, status: &Status) {
    for SharedCode { code, areas } in &status.shared_codes {
        let named = areas.iter().map(|it| format!("{} ({})", it.area.id(), it.name));
        let facts =
            [Fact::new("code", code), Fact::new("areas", named.collect::<Vec<_>>().join(", "))];
        page.warning(words.say_with("page-trouble-code", &facts));
    }
    for AreaEntry { area, name, .. } in &status.contested_areas {
        let facts = [Fact::new("area", area), Fact::new("id", area.id()), Fact::new("name", name)];
        page.warning(words.say_with("page-trouble-contested", &facts));
    }
}

/// Invitations that several devices joined with.
fn shared(page: &mut Page, words: Words, status: &Status) {
    for SharedInvitation { invitation, area, devices, .. } in &status.shared_invitations {
        let names: Vec<String> = devices.iter().map(show::short).collect();
        let facts = [
            Fact::new("invitation", show::short(invitation)),
            Fact::new("area", area),
            Fact::new("count", devices.len()),
            Fact::new("devices", names.join(", ")),
        ];
        page.warning(words.say_with("page-trouble-invitation", &facts));
    }
}

/// Where a branch was first seen: a bundle's file, or a device.
fn place(place: &ForkPlace, status: &Status, words: Words) -> String {
    if place.via == "bundle" {
        place.name.clone()
    } else if place.name == status.device.to_string() {
        words.say("page-this-device")
    } else {
        show::short(&place.name)
    }
}

fn arrived(page: &mut Page, words: Words, arrived: &[Arrived]) {
    let heads = ["page-arrived-at", "page-mine", "page-held", "page-missing", "page-complete"];
    let row = |row: &Arrived| {
        vec![
            row.at.clone(),
            row.mine.to_string(),
            row.held.to_string(),
            row.missing.to_string(),
            show::moment(row.complete_as_of),
        ]
    };
    page.table(show::heads(words, heads), arrived.iter().map(row).collect());
}

fn peers(page: &mut Page, words: Words, peers: &[PeerSeen]) {
    let heads = ["page-device", "page-area", "page-connected", "page-contact", "page-equal"];
    let row = |peer: &PeerSeen| {
        vec![
            show::short(&peer.device),
            peer.area.to_string(),
            show::yes(peer.connected, words),
            show::moment(peer.last_contact),
            peer.equal.map_or_else(|| show::NONE.to_owned(), |equal| show::yes(equal, words)),
        ]
    };
    page.table(show::heads(words, heads), peers.iter().map(row).collect());
}

/// The newest sessions of the node that runs; a node that was opened for this had none.
fn sessions(page: &mut Page, words: Words, sessions: &[SessionSeen]) {
    let heads = [
        "page-session-at",
        "page-device",
        "page-area",
        "page-received",
        "page-sent",
        "page-bytes",
        "page-rounds",
        "page-ended",
    ];
    let row = |session: &SessionSeen| {
        let ended = match (session.ended.as_str(), session.equal) {
            ("done", true) => words.say("page-session-equal"),
            ("done", false) => words.say("page-session-unequal"),
            (reason, _) => reason.to_owned(),
        };
        vec![
            show::moment(session.at),
            show::short(&session.device),
            session.area.to_string(),
            session.received.entries.to_string(),
            session.sent.entries.to_string(),
            format!("{} / {}", session.received.bytes, session.sent.bytes),
            session.rounds.to_string(),
            ended,
        ]
    };
    page.table(show::heads(words, heads), sessions.iter().map(row).collect());
}
