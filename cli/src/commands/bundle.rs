//! `bundle export`, `import`, `inspect`: records that travel by file.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{ArgGroup, Subcommand};
use node::answer::{
    Audience, BundleExport, BundleImport, BundleInspect, ImportedFile, MissingRun, NO_ROOM,
    OUTSIDE_INTEREST, ROTTEN_HERE, RottenRun,
};
use node::ask::{BundleFor, ExportBundle, ImportBundles, InspectBundle};
use node::error::ErrorKind;
use node::node::Node;

use super::show;
use crate::context::{Context, Reached};
use crate::error::Failure;
use crate::report::{Page, Report};
use crate::settings::NamedBy;
use crate::words::{Fact, Words};

/// Numbers of pieces that lack, as many as are told.
const LACKING_SHOWN: usize = 10;

/// Carry records by file: stick, shared folder, mail
#[derive(Subcommand)]
pub(crate) enum Args {
    /// Write a bundle for a device, an area, or all
    #[command(visible_alias = "ekspor")]
    Export(ExportArgs),
    /// Take what bundles hold; twice, half, in any order
    #[command(visible_alias = "impor")]
    Import {
        /// The bundles
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// What a bundle says and whether it is whole; takes nothing from it
    #[command(visible_alias = "tengok")]
    Inspect {
        /// The bundle
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// `bundle export`.
#[derive(clap::Args)]
#[command(group = ArgGroup::new("audience").required(true).args(["device", "area", "all"]))]
pub(crate) struct ExportArgs {
    /// For this device: what it is not known to hold
    #[arg(long = "for", value_name = "DEVICE")]
    device: Option<String>,
    /// For whoever holds this area: all of it
    #[arg(long, value_name = "CODE")]
    area: Option<String>,
    /// Everything this node holds
    #[arg(long)]
    all: bool,
    /// In clear, for anyone who finds the file; only for synthetic people
    #[arg(long)]
    clear: bool,
    /// For a device also what it once said it holds: after a backup was put back there
    #[arg(long, requires = "device")]
    whole: bool,
    /// Cut into pieces of at most so many bytes, like 100M (k, M, G: thousands)
    #[arg(long, value_name = "SIZE", value_parser = size_bytes)]
    max_size: Option<u64>,
    /// Where the bundle is written
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// Reads `1048576`, `64k`, `100M`, `4G`.
fn size_bytes(text: &str) -> Result<u64, String> {
    let wrong = || "a number of bytes, or with k, M or G, like 100M".to_owned();
    let (digits, unit) = match text.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1_000),
        None => match text.strip_suffix(['m', 'M']) {
            Some(digits) => (digits, 1_000_000),
            None => match text.strip_suffix(['g', 'G']) {
                Some(digits) => (digits, 1_000_000_000),
                None => (text, 1),
            },
        },
    };
    let count: u64 = digits.parse().map_err(|_| wrong())?;
    count.checked_mul(unit).filter(|bytes| *bytes > 0).ok_or_else(wrong)
}

pub(crate) fn run(context: &mut Context<'_>, args: Args) -> Result<Report, Failure> {
    match args {
        Args::Export(args) => export(context, args),
        Args::Import { files } => import(context, files),
        Args::Inspect { file } => {
            let found = match reached_if_named(context)? {
                Some(reached) => reached.put(InspectBundle { file }, &mut context.unseen())?,
                None => Node::bundle_inspect(&file, None)?,
            };
            context.report(&found, inspected)
        }
    }
}

fn export(context: &mut Context<'_>, args: ExportArgs) -> Result<Report, Failure> {
    let audience = match (args.device, args.area) {
        (Some(device), _) => BundleFor::Device(device),
        (None, Some(area)) => BundleFor::Area(area),
        (None, None) => BundleFor::All,
    };
    let ask = ExportBundle {
        audience,
        clear: args.clear,
        whole: args.whole,
        max_bytes: args.max_size,
        file: args.output,
    };
    let mut bar = context.bar("tell-exporting");
    let made = context.put_watched(ask, &mut bar)?;
    drop(bar);
    let report = context.report(&made, exported)?;
    Ok(report.but(rotten(&made)))
}

/// The failure that says so, where something could not go in.
pub(crate) fn rotten(made: &BundleExport) -> Option<Failure> {
    let places = vec![Fact::new("count", made.missing.len())];
    (!made.missing.is_empty()).then(|| Failure::finer(ErrorKind::Damage, "damage_export", places))
}

fn import(context: &mut Context<'_>, files: Vec<PathBuf>) -> Result<Report, Failure> {
    let mut bar = context.bar("tell-importing");
    let done = context.put_watched(ImportBundles { files }, &mut bar)?;
    drop(bar);
    let report = context.report(&done, imported)?;
    Ok(report.but(partial(&done)))
}

/// The failure that says so, where anything for this node was left in a file.
pub(crate) fn partial(done: &BundleImport) -> Option<Failure> {
    let is_for_here = |(why, count): (&String, &u64)| why != OUTSIDE_INTEREST && *count > 0;
    let left = |file: &&ImportedFile| file.pending > 0 || file.rejected.iter().any(is_for_here);
    let files = done.files.iter().filter(left).count();
    let assumed: usize = done.files.iter().map(|file| file.assumed.len()).sum();
    if assumed > 0 {
        let facts = vec![Fact::new("count", assumed)];
        return Some(Failure::finer(ErrorKind::Partial, "partial_assumed", facts));
    }
    if let Some([piece, pieces]) = done.files.iter().find_map(|file| comes_too_early(file, done)) {
        let facts = vec![Fact::new("piece", piece), Fact::new("pieces", pieces)];
        return Some(Failure::because(ErrorKind::Partial, "page-import-too-early", facts));
    }
    for (word, said) in [(NO_ROOM, "partial_no_room"), (ROTTEN_HERE, "partial_rotten")] {
        if done.files.iter().any(|file| file.rejected.contains_key(word)) {
            return Some(Failure::finer(ErrorKind::Partial, said, Vec::new()));
        }
    }
    let facts = || vec![Fact::new("count", files)];
    (files > 0).then(|| Failure::because(ErrorKind::Partial, "page-import-partial", facts()))
}

/// A piece that waits, of which an earlier one was not imported with it.
fn comes_too_early(file: &ImportedFile, done: &BundleImport) -> Option<[u16; 2]> {
    if file.pending == 0 {
        return None;
    }
    let [piece, pieces] = file.part;
    lacking(file, done).any(|part| part < piece).then_some([piece, pieces])
}

/// Pieces of a file's bundle that were not imported with it.
fn lacking<'a>(
    file: &'a ImportedFile,
    done: &'a BundleImport,
) -> impl Iterator<Item = u16> + use<'a> {
    let [_, pieces] = file.part;
    let of_it = |other: &&ImportedFile| other.bundle == file.bundle && other.part[1] == pieces;
    let here: BTreeSet<u16> = done.files.iter().filter(of_it).map(|other| other.part[0]).collect();
    (1..=pieces).filter(move |part| !here.contains(part))
}

/// Of each bundle in pieces that is not all here, how many it has, and the first that lack.
fn incomplete(done: &BundleImport) -> Vec<[String; 2]> {
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for file in done.files.iter().filter(|file| told.insert(&file.bundle)) {
        let mut numbers = lacking(file, done).map(|part| part.to_string());
        let mut first: Vec<String> = numbers.by_ref().take(LACKING_SHOWN).collect();
        first.extend(numbers.next().map(|_| "…".to_owned()));
        if !first.is_empty() {
            found.push([file.part[1].to_string(), first.join(", ")]);
        }
    }
    found
}

/// Only a folder that was named asks what would be new here; a stranger looks without any.
fn reached_if_named(context: &mut Context<'_>) -> Result<Option<Reached>, Failure> {
    match context.settings.named_by {
        NamedBy::Flag => context.reach().map(Some),
        NamedBy::Variable => context.reach_if_any(),
        NamedBy::Platform => Ok(None),
    }
}

fn audience(audience: &Audience, words: Words) -> String {
    match audience {
        Audience::Device(device) => device.to_string(),
        Audience::Area(area) => area.to_string(),
        Audience::All => words.say("page-all"),
    }
}

fn areas(areas: &[crdt_schema::area::AreaCode]) -> String {
    areas.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn exported(page: &mut Page, words: Words, made: &BundleExport) {
    page.good(words.say("page-bundle-made"));
    for file in &made.files {
        page.pair(words.say("page-file"), file);
    }
    for file in &made.older {
        page.warning(words.say_with("page-bundle-older", &[Fact::new("file", file)]));
    }
    page.pair(words.say("page-size"), show::size(made.bytes));
    page.pair(words.say("page-for"), audience(&made.audience, words));
    page.pair(words.say("page-areas"), areas(&made.areas));
    page.pair(words.say("page-entries"), made.entries);
    let row = |run: &RottenRun| {
        let feed = show::short(&run.feed);
        let (device, area) = (show::short(&run.device), run.area.to_string());
        vec![feed, device, area, run.from.to_string(), run.to.to_string()]
    };
    let heads = ["page-feed", "page-device", "page-area", "page-from", "page-to"];
    page.table(show::heads(words, heads), made.missing.iter().map(row).collect());
}

fn inspected(page: &mut Page, words: Words, found: &BundleInspect) {
    if found.whole {
        page.good(words.say("page-bundle-whole"));
    } else {
        page.warning(words.say("page-bundle-cut"));
    }
    page.pair(words.say("page-network"), found.network);
    page.pair(words.say("page-from-device"), found.from);
    page.pair(words.say("page-for"), audience(&found.audience, words));
    page.pair(words.say("page-made-at"), show::moment(found.made_at));
    let [piece, pieces] = found.part;
    page.pair(words.say("page-piece"), format!("{piece}/{pieces}"));
    page.pair(words.say("page-areas"), areas(&found.areas));
    page.pair(words.say("page-entries"), found.entries);
    page.pair(words.say("page-size"), show::size(found.bytes));
    let new = found.new_here.map_or_else(|| show::NONE.to_owned(), |new| new.to_string());
    page.pair(words.say("page-new-here"), new);
    page.table(show::heads(words, MISSING), found.missing.iter().map(missing).collect());
}

/// Why something stayed in a file, in words; one this build does not know, as it came.
fn rejected(reason: &str, words: Words) -> String {
    words.say(match reason {
        "cut" => "page-rejected-cut",
        "altered" => "page-rejected-altered",
        "trailing" => "page-rejected-trailing",
        "newer" => "page-rejected-newer",
        "outside_interest" => "page-rejected-outside-interest",
        "unknown_device" => "page-rejected-unknown-device",
        "no_right" => "page-rejected-no-right",
        "unconfirmed" => "page-rejected-unconfirmed",
        "limit" => "page-rejected-limit",
        "signature" => "page-rejected-signature",
        "broken_chain" | "crosses_checkpoint" => "page-rejected-broken-chain",
        "unreadable" => "page-rejected-unreadable",
        NO_ROOM => "page-rejected-no-room",
        ROTTEN_HERE => "page-rejected-rotten",
        other => return other.to_owned(),
    })
}

/// Over the columns of [`missing`].
const MISSING: [&str; 3] = ["page-missing-feed", "page-from", "page-to"];

fn missing(run: &MissingRun) -> Vec<String> {
    vec![show::short(&run.feed), run.from.to_string(), run.to.to_string()]
}

fn imported(page: &mut Page, words: Words, done: &BundleImport) {
    let row = |file: &ImportedFile| {
        let told =
            |(reason, count): (&String, &u64)| format!("{} {count}", rejected(reason, words));
        let rejected: Vec<String> = file.rejected.iter().map(told).collect();
        vec![
            file.file.clone(),
            file.entries.to_string(),
            file.new.to_string(),
            file.duplicate.to_string(),
            file.pending.to_string(),
            rejected.join(", "),
        ]
    };
    let heads = [
        "page-file",
        "page-entries",
        "page-rows-new",
        "page-duplicate",
        "page-pending",
        "page-rows-refused",
    ];
    page.table(show::heads(words, heads), done.files.iter().map(row).collect());
    if done.quarantined > 0 {
        let facts = [Fact::new("count", done.quarantined)];
        page.warning(words.say_with("page-bundle-quarantined", &facts));
    }
    for [pieces, lacking] in incomplete(done) {
        let facts = [Fact::new("pieces", pieces), Fact::new("lacking", lacking)];
        page.warning(words.say_with("page-import-pieces", &facts));
    }
    if done.files.iter().any(|file| file.rejected.contains_key("trailing")) {
        page.warning(words.say("page-bundle-trailing"));
    }
    let missing: Vec<_> = done.files.iter().flat_map(|file| &file.missing).map(missing).collect();
    if !missing.is_empty() {
        page.table(show::heads(words, MISSING), missing);
    }
    let row =
        |area: &node::answer::ImportedArea| vec![area.area.to_string(), area.root.to_string()];
    let heads = show::heads(words, ["page-area", "page-root"]);
    page.table(heads, done.areas.iter().map(row).collect());
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_size_is_a_number_and_perhaps_a_unit() {
        assert_eq!(size_bytes("1048576"), Ok(1_048_576));
        assert_eq!(size_bytes("64k"), Ok(64_000));
        assert_eq!(size_bytes("100M"), Ok(100_000_000));
        assert_eq!(size_bytes("4G"), Ok(4_000_000_000));
        for wrong in ["", "M", "0", "-1", "1.5M", "1T", "99999999999999999999G"] {
            assert!(size_bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_stays_in_a_file_makes_an_import_partial_and_what_was_held_before_does_not() {
        let file = |pending, rejected: &[(&str, u64)]| ImportedFile {
            duplicate: 5,
            pending,
            rejected: rejected
                .iter()
                .map(|(why, n)| ((*why).to_owned(), *n))
                .collect::<BTreeMap<_, _>>(),
            ..ImportedFile::default()
        };
        let exit = |files| {
            partial(&BundleImport { files, areas: Vec::new(), quarantined: 0 }).map(|f| f.exit())
        };
        assert_eq!(exit(vec![file(0, &[])]), None);
        assert_eq!(exit(vec![file(0, &[]), file(1, &[])]), Some(12));
        assert_eq!(exit(vec![file(0, &[("network", 2)])]), Some(12));
        assert_eq!(exit(vec![file(0, &[("network", 0)])]), None);
        let for_others = ("outside_interest", 7);
        assert_eq!(exit(vec![file(0, &[for_others])]), None);
        assert_eq!(exit(vec![file(0, &[for_others, ("cut", 1)])]), Some(12));
        assert_eq!(exit(vec![file(1, &[for_others])]), Some(12));
        let run = MissingRun { feed: crdt_schema::id::FeedId([1; 32]), from: 2, to: 3 };
        assert_eq!(exit(vec![ImportedFile { assumed: vec![run], ..file(0, &[]) }]), Some(12));
        for word in [NO_ROOM, ROTTEN_HERE] {
            assert_eq!(exit(vec![file(0, &[for_others, (word, 3)])]), Some(12));
        }
    }
}
