//! The office whose pages are looked at: a desa with synthetic people, a conflict, a record that means
//! harm, and a kecamatan that sent a receipt; and the server of its pages.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use cli::page::{Source, router};
use node::live::runner::Stopped;
use node::node::{Node, SynthAsk};
use node::progress::Unwatched;
use tests::office::{Office, Town};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Where the page for strangers is looked at.
pub(crate) const DOOR: &str = "/pintu";

const DESA: &str = "32.09.20.2007";
/// What a page must never show.
pub(crate) const SECRET: &str = "Rahasia-9417";
/// A name that means harm.
pub(crate) const SCRIPT: &str = "Arisan <script>window.terjadi=1</script>\"'><img src=x onerror=1>";
/// Synthetic records beside those made by hand: more than a page.
const SYNTHETIC: u64 = 60;
/// Records made by hand.
const BY_HAND: usize = 3;

/// A desk with its server.
pub(crate) struct Desk {
    base: String,
    requests: Requests,
    /// Records of the node.
    pub(crate) records: usize,
    /// A person's record.
    pub(crate) named: String,
    /// A record with a field of two values.
    pub(crate) contested: String,
    /// A record whose name is a script.
    pub(crate) hostile: String,
    // The other office shares the folder that holds the files.
    _kecamatan: Office,
}

/// Paths asked for, and bytes of their answers.
type Requests = Arc<Mutex<(Vec<String>, usize)>>;

#[derive(Clone)]
struct Shared(Arc<Mutex<Office>>);

impl Source for Shared {
    async fn ask<A: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Node) -> A + Send + 'static,
    ) -> Result<A, Stopped> {
        let mut office = self.0.lock().map_err(|_| Stopped)?;
        Ok(question(office.node()))
    }
}

impl Desk {
    pub(crate) async fn open() -> Self {
        let mut town = Town::new(7);
        let mut province = town.province();
        let mut kecamatan = town.member(&mut province, "kecamatan", "32.09.20");
        let mut desa = town.member(&mut kecamatan, "desa", DESA);
        let ask = SynthAsk {
            preset: "desa".to_owned(),
            seed: 3,
            records: Some(SYNTHETIC),
            area: Some(DESA.to_owned()),
        };
        let made = desa.node().synth_into(&ask, &mut Unwatched).unwrap().records;
        let person = [
            ("nama", "Euis Contoh"),
            ("kode_jenis", "LUT"),
            ("jenis_kelamin", "P"),
            ("kasus", SECRET),
        ];
        let named = desa.add("ppks", DESA, &person).record.to_string();
        desa.set(&named, &[("status_penanganan", "diverifikasi"), ("alamat", "Jalan Mawar 1")]);
        let hostile = desa.add("kps", DESA, &[("nama", SCRIPT), ("bentuk", "kelompok")]);
        let person = [("nama", "Ujang Contoh"), ("kode_jenis", "LUT"), ("jenis_kelamin", "L")];
        let contested = desa.add("ppks", DESA, &person).record.to_string();
        desa.carry_to(&mut kecamatan);
        desa.set(&contested, &[("alamat", "Jalan Melati 9")]);
        kecamatan.set(&contested, &[("alamat", "Jalan Kenanga 4")]);
        desa.carry_to(&mut kecamatan);
        kecamatan.carry_to(&mut desa);
        let requests = Requests::default();
        let pages = router(Shared(Arc::new(Mutex::new(desa))));
        // What the API shows to whoever has no way in.
        let pages = pages.route(DOOR, axum::routing::get(async || cli::page::door()));
        let base = serve(pages, requests.clone()).await;
        Self {
            base,
            requests,
            records: usize::try_from(made).unwrap() + BY_HAND,
            named,
            contested,
            hostile: hostile.record.to_string(),
            _kecamatan: kecamatan,
        }
    }

    pub(crate) fn address(&self, path: &str) -> String {
        format!("http://{}{path}", self.base)
    }

    /// Every page there is, as it is reached.
    pub(crate) fn pages(&self) -> Vec<String> {
        vec![
            "/".to_owned(),
            "/catatan".to_owned(),
            format!("/catatan/{}", self.named),
            format!("/catatan/{}", self.contested),
            "/konflik".to_owned(),
            "/jaringan".to_owned(),
        ]
    }

    pub(crate) fn forget_requests(&self) {
        *self.requests.lock().unwrap() = (Vec::new(), 0);
    }

    pub(crate) fn requests(&self) -> (Vec<String>, usize) {
        self.requests.lock().unwrap().clone()
    }

    /// The head of an answer, as it stands on the wire.
    pub(crate) async fn headers(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.base).await.unwrap();
        let asked =
            format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.base);
        stream.write_all(asked.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().0.to_owned()
    }
}

/// Serves pages on a free port of loopback; returns where.
async fn serve(pages: Router, requests: Requests) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let pages = pages.layer(from_fn_with_state(requests, count));
    tokio::spawn(async move { axum::serve(listener, pages).await.unwrap() });
    address
}

/// Whether a browser says that a form was sent by a page of ours, as the door of the API asks of
/// whatever does not only read.
fn is_from_us(request: &Request) -> bool {
    let said = |name| request.headers().get(name).and_then(|it| it.to_str().ok());
    let ours = said(HOST).map(|host| format!("http://{host}"));
    request.method() == Method::GET || ours.is_some() && said(ORIGIN) == ours.as_deref()
}

async fn count(State(requests): State<Requests>, request: Request, next: Next) -> Response {
    if !is_from_us(&request) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let path = request.uri().path().to_owned();
    let (head, body) = next.run(request).await.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let named = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        name.as_str().len() + value.len() + 4
    };
    let bytes = body.len() + head.headers.iter().map(named).sum::<usize>();
    let mut counted = requests.lock().unwrap();
    counted.0.push(path);
    counted.1 += bytes;
    drop(counted);
    Response::from_parts(head, Body::from(body))
}
