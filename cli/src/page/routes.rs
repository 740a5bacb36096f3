//! Addresses and headers: what may be asked, and what a browser may do with the answer.
//!
//! Whoever mounts this router keeps strangers out before it: here nobody is asked who he is.

use std::sync::{Arc, Mutex, PoisonError};

use askama::Template;
use axum::Router;
use axum::extract::{Form, Path, Query, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use crdt_schema::unseen::visible;
use node::error::NodeError;
use node::node::Node;
use serde::Deserialize;

use super::refusal::Refusal;
use super::searches::Searches;
use super::source::Source;
use super::{conflicts, home, list, network, record};

/// What a page may load and do: its style sheet and icon from here, its forms to here, no script,
/// no frame around it.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";
/// Pages hold people: no copy stays in the browser.
const KEEP_NONE: &str = "no-store";
/// The style sheet and the icon hold nobody: an hour.
const KEEP_AN_HOUR: &str = "private, max-age=3600";

const STYLE: &str = include_str!("../../templates/gaya.css");
const ICON: &str = include_str!("../../templates/ikon.svg");

/// The pages over one node.
///
/// `/`, `/catatan`, `/catatan/{id}`, `/konflik`, `/jaringan`, and `/gaya.css`, `/ikon.svg` beside
/// them. The caller guards them: whoever gets here may read.
pub fn router<S: Source>(source: S) -> Router {
    let pages = Pages { source, searches: Arc::default() };
    Router::new()
        .route("/", get(home_page::<S>))
        .route("/catatan", get(list_page::<S>).post(search::<S>))
        .route("/catatan/{id}", get(record_page::<S>))
        .route("/konflik", get(conflicts_page::<S>))
        .route("/jaringan", get(network_page::<S>))
        .merge(assets())
        .fallback(async || refused(&Refusal::NoPage))
        .with_state(pages)
}

/// What pages look like: `/gaya.css` and `/ikon.svg`. They hold nobody, so anybody may have them.
pub fn assets<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/gaya.css", get(async || asset("text/css; charset=utf-8", STYLE)))
        .route("/ikon.svg", get(async || asset("image/svg+xml", ICON)))
}

/// The page for whoever has no way in yet: it says which command prints one.
pub fn door() -> Response {
    laid_out(StatusCode::UNAUTHORIZED, &Door {})
}

#[derive(Template)]
#[template(path = "pintu.html")]
struct Door {}

#[derive(Clone)]
struct Pages<S> {
    source: S,
    searches: Arc<Mutex<Searches>>,
}

impl<S: Source> Pages<S> {
    /// The number of what was typed; empty for nothing.
    fn remember(&self, typed: &str) -> String {
        let mut kept = self.searches.lock().unwrap_or_else(PoisonError::into_inner);
        kept.keep(typed).map(|number| number.to_string()).unwrap_or_default()
    }

    /// What was typed, by its number.
    fn remembered(&self, number: &str) -> Option<String> {
        let kept = self.searches.lock().unwrap_or_else(PoisonError::into_inner);
        kept.of(number.parse().ok()?)
    }

    /// One question, one page.
    async fn show<F: Send + 'static, T: Template>(
        &self,
        question: impl FnOnce(&Node) -> Result<F, NodeError> + Send + 'static,
        page: impl FnOnce(&F) -> T,
    ) -> Response {
        match self.source.ask(move |node| question(node)).await {
            Ok(Ok(facts)) => laid_out(StatusCode::OK, &page(&facts)),
            Ok(Err(error)) => refused(&Refusal::Node(error)),
            Err(_) => refused(&Refusal::Stopped),
        }
    }
}

async fn home_page<S: Source>(State(pages): State<Pages<S>>) -> Response {
    pages.show(home::Facts::of, home::Page::new).await
}

async fn list_page<S: Source>(
    State(pages): State<Pages<S>>,
    Query(wanted): Query<list::Wanted>,
) -> Response {
    let query = pages.remembered(&wanted.cari);
    pages.show(move |node| list::Facts::of(node, wanted, query), list::Page::new).await
}

/// A search as a form sends it.
#[derive(Deserialize)]
struct Typed {
    #[serde(default)]
    kata: String,
    #[serde(flatten)]
    wanted: list::Wanted,
}

/// Remembers what was typed and leads to an address that does not hold it.
async fn search<S: Source>(State(pages): State<Pages<S>>, Form(typed): Form<Typed>) -> Response {
    let cari = pages.remember(&typed.kata);
    let to = list::Wanted { cari, ..typed.wanted }.address(None);
    (StatusCode::SEE_OTHER, [(LOCATION, to)], guarded(KEEP_NONE)).into_response()
}

async fn record_page<S: Source>(State(pages): State<Pages<S>>, Path(id): Path<String>) -> Response {
    pages.show(move |node| record::Facts::of(node, &id), record::Page::new).await
}

async fn conflicts_page<S: Source>(
    State(pages): State<Pages<S>>,
    Query(wanted): Query<conflicts::Wanted>,
) -> Response {
    pages.show(move |node| conflicts::Facts::of(node, &wanted), conflicts::Page::new).await
}

async fn network_page<S: Source>(State(pages): State<Pages<S>>) -> Response {
    let sessions = pages.source.sessions();
    pages.show(move |node| network::Facts::of(node, sessions), network::Page::new).await
}

/// The page as text. The templates hold no sign that nobody sees: what is shown by its number came
/// from a value.
fn html(page: &impl Template) -> askama::Result<String> {
    Ok(visible(&page.render()?).into_owned())
}

fn laid_out(status: StatusCode, page: &impl Template) -> Response {
    match html(page) {
        Ok(html) => {
            let kind = [(CONTENT_TYPE, "text/html; charset=utf-8")];
            (status, kind, guarded(KEEP_NONE), html).into_response()
        }
        // Nothing of the page is repeated: it holds people.
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, guarded(KEEP_NONE)).into_response(),
    }
}

fn refused(refusal: &Refusal) -> Response {
    let (status, page) = refusal.page();
    laid_out(status, &page)
}

fn asset(kind: &'static str, body: &'static str) -> Response {
    ([(CONTENT_TYPE, kind)], guarded(KEEP_AN_HOUR), body).into_response()
}

/// What every answer says to the browser.
fn guarded(keep: &'static str) -> [(HeaderName, &'static str); 6] {
    [
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, keep),
        (REFERRER_POLICY, "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ]
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;

    #[derive(Template)]
    #[template(source = "<p title=\"{{ text }}\">{{ text }}</p>\n", ext = "html")]
    struct Paragraph {
        text: &'static str,
    }

    #[test]
    fn a_sign_that_nobody_sees_turns_no_page() {
        let text = "Siti\u{202e}\u{2066}\u{200b}<b>\u{1b}";
        let shown = r"Siti\u{202e}\u{2066}\u{200b}&#60;b&#62;\u{1b}";
        let page = html(&Paragraph { text }).unwrap();
        assert_eq!(page, format!("<p title=\"{shown}\">{shown}</p>\n"));
    }

    #[test]
    fn a_page_of_what_people_write_stays_as_it_is() {
        let page = Paragraph { text: "Désa – “Ciwidey”, \u{a0}👍" };
        assert_eq!(html(&page).unwrap(), page.render().unwrap());
    }
}
