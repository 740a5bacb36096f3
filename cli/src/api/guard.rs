//! Who may ask. Loopback alone keeps nobody out: every page a browser shows and every account of
//! the machine reaches it.
//!
//! - **Host** must be the address we listen on, or `localhost`: a foreign name that was made to
//!   point here is refused.
//! - **Origin**, where a browser sends one, must be ours: a foreign page is refused.
//! - The **token** is new at each start and lies in a file that only its owner reads. A browser gets
//!   a cookie instead, for a link that serves once; with the cookie alone nothing is changed unless
//!   the origin is said.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, Method, header};
use blake3::Hash;
use tokio::time::Instant;

use crate::error::Failure;

/// Links to open in a browser that wait; one more takes the place of the oldest.
const LINKS_MAX: usize = 8;
/// A link that nobody opened serves no longer.
const LINK_LIFE: Duration = Duration::from_secs(300);

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It was meant for somebody else, or comes from a foreign page.
    Foreign,
    /// It does not show the token.
    Token,
}

impl Refusal {
    /// As the contract tells it.
    pub(super) fn failure(self) -> Failure {
        match self {
            Self::Foreign => Failure::usage("usage-api-foreign", Vec::new()),
            Self::Token => Failure::usage("usage-api-token", Vec::new()),
        }
    }
}

/// The door of one run.
pub(super) struct Guard {
    token: [u8; 32],
    hosts: [String; 2],
    cookie: String,
    links: Mutex<VecDeque<(Hash, Instant)>>,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

impl Guard {
    pub(super) fn new(token: [u8; 32], at: SocketAddr) -> Self {
        Self {
            token,
            hosts: [at.to_string(), format!("localhost:{}", at.port())],
            // Browsers do not tell ports apart when they send cookies.
            cookie: format!("wksbm-{}", at.port()),
            links: Mutex::default(),
        }
    }

    /// Host and origin.
    pub(super) fn is_meant(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let host = one(headers, header::HOST).and_then(|host| self.host(host));
        host.ok_or(Refusal::Foreign)?;
        let is_ours = !headers.contains_key(header::ORIGIN) || self.has_our_origin(headers);
        is_ours.then_some(()).ok_or(Refusal::Foreign)
    }

    /// The token, or the cookie of a browser that was let in.
    pub(super) fn may(&self, method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
        let shown = one(headers, header::AUTHORIZATION).and_then(|it| it.strip_prefix("Bearer "));
        if shown.is_some_and(|shown| same(shown, &hex::encode(self.token))) {
            return Ok(());
        }
        let only_reads = *method == Method::GET || *method == Method::HEAD;
        let by_cookie = only_reads || self.has_our_origin(headers);
        let cookie = self.cookie_in(headers).filter(|_| by_cookie);
        if cookie.is_some_and(|shown| same(shown, &self.session())) {
            return Ok(());
        }
        Err(Refusal::Token)
    }

    /// A new link's secret: whoever opens it first gets the cookie.
    pub(super) fn link(&self, secret: [u8; 32]) -> String {
        let text = hex::encode(secret);
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        while links.len() >= LINKS_MAX {
            links.pop_front();
        }
        links.push_back((blake3::hash(text.as_bytes()), Instant::now()));
        text
    }

    /// The `Set-Cookie` for a link's secret; it serves no second time.
    pub(super) fn enter(&self, secret: &str) -> Option<String> {
        let shown = blake3::hash(secret.as_bytes());
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|(_, made)| made.elapsed() < LINK_LIFE);
        let before = links.len();
        links.retain(|(hash, _)| *hash != shown);
        let cookie = || {
            let (name, session) = (&self.cookie, self.session());
            format!("{name}={session}; HttpOnly; SameSite=Strict; Path=/")
        };
        (links.len() < before).then(cookie)
    }

    /// Shows that this is the node whose token file was read, without showing the token.
    pub(super) fn proof(&self, nonce: &str) -> String {
        proof(&self.token, nonce)
    }

    /// What the cookie holds: made from the token, and not the token.
    fn session(&self) -> String {
        blake3::keyed_hash(&self.token, b"cookie").to_string()
    }

    fn host(&self, text: &str) -> Option<&str> {
        self.hosts.iter().find(|host| host.eq_ignore_ascii_case(text)).map(String::as_str)
    }

    fn has_our_origin(&self, headers: &HeaderMap) -> bool {
        let origin = one(headers, header::ORIGIN).and_then(|it| it.strip_prefix("http://"));
        origin.is_some_and(|host| self.host(host).is_some())
    }

    fn cookie_in<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let all = headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok());
        let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|it| it.split_once('='));
        pairs.find(|(name, _)| name.trim() == self.cookie).map(|(_, value)| value.trim())
    }
}

/// What a node answers to a nonce, and whoever holds the token expects.
pub(super) fn proof(token: &[u8; 32], nonce: &str) -> String {
    let mut hasher = blake3::Hasher::new_keyed(token);
    hasher.update(b"hello").update(nonce.as_bytes());
    hasher.finalize().to_string()
}

/// The header's value, unless it is sent twice.
fn one(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())?.to_str().ok()
}

/// Compares in a time that says nothing: hashes of `blake3` are compared so.
fn same(shown: &str, held: &str) -> bool {
    blake3::hash(shown.as_bytes()) == blake3::hash(held.as_bytes())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;

    const HOST: (&str, &str) = ("host", "127.0.0.1:8089");
    const ORIGIN: (&str, &str) = ("origin", "http://127.0.0.1:8089");

    fn guard() -> Guard {
        Guard::new([7; 32], "127.0.0.1:8089".parse().unwrap())
    }

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let name: header::HeaderName = name.parse().unwrap();
            headers.append(name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_our_own_host_is_meant() {
        for host in ["127.0.0.1:8089", "localhost:8089", "LOCALHOST:8089"] {
            assert_eq!(guard().is_meant(&headers(&[("host", host)])), Ok(()), "{host}");
        }
        for host in ["127.0.0.1", "127.0.0.1:80", "rebind.invalid:8089", "localhost", ""] {
            let refused = guard().is_meant(&headers(&[("host", host)]));
            assert_eq!(refused, Err(Refusal::Foreign), "{host}");
        }
        assert_eq!(guard().is_meant(&headers(&[])), Err(Refusal::Foreign));
        assert_eq!(guard().is_meant(&headers(&[HOST, HOST])), Err(Refusal::Foreign));
    }

    #[test]
    fn a_foreign_page_is_refused() {
        assert_eq!(guard().is_meant(&headers(&[HOST, ORIGIN])), Ok(()));
        for origin in
            ["null", "https://127.0.0.1:8089", "http://127.0.0.1:8088", "http://x.invalid"]
        {
            let refused = guard().is_meant(&headers(&[HOST, ("origin", origin)]));
            assert_eq!(refused, Err(Refusal::Foreign), "{origin}");
        }
    }

    #[test]
    fn only_the_token_of_this_run_opens() {
        let may = |value: &str| guard().may(&Method::POST, &headers(&[("authorization", value)]));
        let token = hex::encode([7; 32]);
        assert_eq!(may(&format!("Bearer {token}")), Ok(()));
        let short = token.get(..62).unwrap();
        let other = hex::encode([8; 32]);
        for wrong in [token.clone(), format!("Bearer {short}"), format!("Bearer {other}")] {
            assert_eq!(may(&wrong), Err(Refusal::Token));
        }
        assert_eq!(guard().may(&Method::GET, &headers(&[])), Err(Refusal::Token));
    }

    #[test]
    fn a_link_lets_one_browser_in_and_its_cookie_changes_nothing_for_a_foreign_page() {
        let guard = guard();
        let link = guard.link([3; 32]);
        assert_eq!(guard.enter(&hex::encode([4; 32])), None);
        let cookie = guard.enter(&link).unwrap();
        assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Path=/"), "{cookie}");
        assert!(!cookie.contains(&hex::encode([7; 32])));
        assert_eq!(guard.enter(&link), None);
        let sent = format!("a=b; {}", cookie.split(';').next().unwrap());
        let cookie = ("cookie", sent.as_str());
        assert_eq!(guard.may(&Method::GET, &headers(&[cookie])), Ok(()));
        assert_eq!(guard.may(&Method::POST, &headers(&[cookie, ORIGIN])), Ok(()));
        assert_eq!(guard.may(&Method::POST, &headers(&[cookie])), Err(Refusal::Token));
    }

    #[test]
    fn links_that_wait_are_few() {
        let guard = guard();
        let links: Vec<String> = (0..20).map(|number| guard.link([number; 32])).collect();
        let open = links.iter().filter(|link| guard.enter(link).is_some()).count();
        assert_eq!(open, LINKS_MAX);
    }
}
