//! `page`: a link that opens the pages of the node that runs, in a browser of this machine.

use node::error::ErrorKind;

use crate::api::client::Linked;
use crate::context::Context;
use crate::error::Failure;
use crate::report::{Page, Report};
use crate::words::Words;

pub(crate) fn run(context: &mut Context<'_>) -> Result<Report, Failure> {
    let Some(client) = context.running()? else {
        return Err(Failure::finer(ErrorKind::FileMissing, "not_running", Vec::new()));
    };
    let linked = client.link(&mut context.unseen())?;
    context.report(&linked, fill)
}

fn fill(page: &mut Page, words: Words, linked: &Linked) {
    page.line(linked.link.clone());
    page.line(words.say("page-link-serves"));
}
