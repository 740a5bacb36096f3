//! `invite`: a file that lets one device join.

use std::path::PathBuf;

use node::ask::InviteDevice;
use node::net::Multiaddr;

use super::show;
use crate::context::Context;
use crate::error::Failure;
use crate::report::Report;
use crate::words::Fact;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// `invite`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Code of the area the new device will belong to
    #[arg(long, value_name = "CODE")]
    area: String,
    /// Its rights, apart by commas: write, carry, carry:parent, read:open, read:T, read:U, read:S,
    /// issue, erase; without it those of its level
    #[arg(long, value_name = "LIST")]
    rights: Option<String>,
    /// After this the person who confirms is warned: minutes m, hours h, days d, weeks w
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = duration_ms)]
    expires: i64,
    /// What the device writes counts before it is confirmed; open data only
    #[arg(long)]
    counts_at_once: bool,
    /// Where the new device finds somebody; may be given again. Without it where this node and the
    /// hubs above it are known to be
    #[arg(long, value_name = "MULTIADDR")]
    address: Vec<Multiaddr>,
    /// Where the invitation is written; whoever holds the file may join
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// Reads `90m`, `12h`, `7d`, `2w`.
fn duration_ms(text: &str) -> Result<i64, String> {
    let wrong = || "a number and m, h, d or w, like 7d".to_owned();
    let unit_ms = match text.chars().last() {
        Some('m') => MINUTE_MS,
        Some('h') => HOUR_MS,
        Some('d') => DAY_MS,
        Some('w') => 7 * DAY_MS,
        _ => return Err(wrong()),
    };
    let digits = text.get(..text.len() - 1).unwrap_or_default();
    let count: u32 = digits.parse().map_err(|_| wrong())?;
    let time = i64::from(count) * unit_ms;
    // What has expired when it is made is a slip of the finger.
    if time > 0 { Ok(time) } else { Err(wrong()) }
}

pub(crate) fn run(context: &mut Context<'_>, args: Args) -> Result<Report, Failure> {
    let ask = InviteDevice {
        area: args.area,
        rights: args.rights,
        expires_ms: args.expires,
        counts_at_once: args.counts_at_once,
        addresses: args.address.iter().map(ToString::to_string).collect(),
        file: args.output.clone(),
    };
    let made = context.put(ask)?;
    context.tell("tell-invitation-secret", &[Fact::new("path", args.output.display())]);
    context.report(&made, |page, words, made| {
        page.good(words.say("page-invitation-made"));
        page.pair(words.say("page-file"), &made.file);
        page.pair(words.say("page-area"), made.area);
        page.pair(words.say("page-rights"), made.rights.join(", "));
        page.pair(words.say("page-expires"), show::moment(made.expires_at));
        for address in &made.addresses {
            page.pair(words.say("page-address"), address);
        }
        page.pair(words.say("page-invitation"), &made.invitation);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        assert_eq!(duration_ms("90m"), Ok(5_400_000));
        assert_eq!(duration_ms("7d"), Ok(604_800_000));
        assert_eq!(duration_ms("2w"), Ok(1_209_600_000));
        for wrong in ["", "7", "d", "-1d", "0d", "00h", "1.5h", "7 d", "7é", "99999999999d"] {
            assert!(duration_ms(wrong).is_err(), "{wrong}");
        }
    }
}
