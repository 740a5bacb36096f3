//! `verify`: everything at rest is read and checked again; damage ends with exit code 7.

use node::answer::Verify;
use node::ask::VerifyAll;
use node::error::ErrorKind;
use node::node::Node;

use super::show;
use crate::context::Context;
use crate::error::Failure;
use crate::report::{Page, Report};
use crate::words::{Fact, Words};

/// `verify`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Make the views again from the entries
    #[arg(long)]
    rebuild: bool,
}

pub(crate) fn run(context: &mut Context<'_>, args: &Args) -> Result<Report, Failure> {
    let mut bar = context.bar("tell-verifying");
    let found = if let Some(client) = context.running()? {
        client.put(VerifyAll { rebuild: args.rebuild }, &mut bar)?
    } else {
        // Opened there: a node too damaged to be opened is verified as well.
        let folder = context.folder()?.to_path_buf();
        match Node::verify_folder(&folder, context.environment(), args.rebuild, &mut bar) {
            Err(error) if error.kind() == ErrorKind::StoreLocked => {
                context.reach()?.put(VerifyAll { rebuild: args.rebuild }, &mut bar)?
            }
            found => found?,
        }
    };
    drop(bar);
    let report = context.report(&found, fill)?;
    Ok(report.but(damage(&found)))
}

/// The failure that says so, where anything is wrong. Where only keys are, what is to be done is
/// about them.
pub(crate) fn damage(found: &Verify) -> Option<Failure> {
    let is_of_keys = |it: &node::answer::Damage| it.is_of_keys();
    if let Some(first) = found.damage.first().filter(|_| found.damage.iter().all(is_of_keys)) {
        let file = first.what.split(':').next().unwrap_or_default();
        return Some(Failure::finer(
            ErrorKind::Damage,
            "keys_damaged",
            vec![Fact::new("path", file)],
        ));
    }
    let places = Fact::new("count", found.damage.len());
    (!found.ok).then(|| Failure::because(ErrorKind::Damage, "page-verify-damage", vec![places]))
}

fn fill(page: &mut Page, words: Words, found: &Verify) {
    if found.ok {
        page.good(words.say("page-verify-ok"));
    }
    page.pair(words.say("page-feeds"), found.feeds);
    page.pair(words.say("page-entries"), found.entries);
    page.pair(words.say("page-signatures"), found.signatures);
    page.pair(words.say("page-certificates"), found.certificates);
    page.pair(words.say("page-dropped"), found.payloads_dropped);
    page.pair(words.say("page-forks"), found.forks);
    page.pair(words.say("page-views-equal"), show::yes(found.views_equal, words));
    page.pair(words.say("page-seconds"), format!("{:.1}", found.seconds));
    let row = |damage: &node::answer::Damage| {
        let feed = damage.feed.map_or_else(|| show::NONE.to_owned(), |feed| show::short(&feed));
        let none = || show::NONE.to_owned();
        let device = damage.device.map_or_else(none, |device| show::short(&device));
        let area = damage.area.map_or_else(none, |area| area.to_string());
        let seq = match (damage.seq, damage.to) {
            (Some(seq), Some(to)) if to > seq => format!("{seq}-{to}"),
            (seq, _) => seq.map_or_else(none, |seq| seq.to_string()),
        };
        vec![feed, device, area, seq, damage.what.clone()]
    };
    let heads = ["page-feed", "page-device", "page-area", "page-seq", "page-what"];
    let heads = show::heads(words, heads);
    page.table(heads, found.damage.iter().map(row).collect());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(ok: bool) -> Verify {
        Verify {
            ok,
            feeds: 1,
            entries: 1,
            signatures: 1,
            certificates: 1,
            payloads_dropped: 0,
            forks: 0,
            views_equal: true,
            damage: Vec::new(),
            seconds: 0.0,
        }
    }

    #[test]
    fn only_what_is_wrong_ends_with_seven() {
        assert!(damage(&found(true)).is_none());
        assert_eq!(damage(&found(false)).map(|failure| failure.exit()), Some(7));
    }
}
