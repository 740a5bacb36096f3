//! The page that says why not: in plain words, with what to do, and without what was asked for.

use askama::Template;
use axum::http::StatusCode;
use node::error::{ErrorKind, NodeError};

/// Why a page cannot be shown.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The node said no.
    Node(NodeError),
    /// The node has stopped.
    Stopped,
    /// No page has this address.
    NoPage,
}

/// The page.
#[derive(Template)]
#[template(path = "kendala.html")]
pub(super) struct Page {
    title: &'static str,
    text: &'static str,
}

impl Refusal {
    /// The status to answer with, and the page.
    pub(super) fn page(&self) -> (StatusCode, Page) {
        let (status, title, text) = match self {
            Self::NoPage => (
                StatusCode::NOT_FOUND,
                "Halaman ini tidak ada",
                "Alamatnya mungkin salah ketik. Mulai lagi dari beranda.",
            ),
            Self::Stopped => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Simpul sedang berhenti",
                "Jalankan lagi programnya, lalu buka halaman ini lagi. Yang sudah tersimpan tetap aman.",
            ),
            Self::Node(error) => told(error.kind()),
        };
        (status, Page { title, text })
    }
}

fn told(kind: ErrorKind) -> (StatusCode, &'static str, &'static str) {
    if kind == ErrorKind::RecordUnknown {
        let text = "Catatan itu tidak ada di simpul ini. Mungkin belum sampai dari simpul lain.";
        (StatusCode::NOT_FOUND, "Catatan tidak ditemukan", text)
    } else if [ErrorKind::Usage, ErrorKind::KindUnknown, ErrorKind::AreaUnknown].contains(&kind) {
        let text = "Permintaan itu tidak dapat dibaca. Mulai lagi dari daftar catatan.";
        (StatusCode::BAD_REQUEST, "Permintaan tidak dikenal", text)
    } else {
        let text = "Simpul tidak dapat menjawab sekarang. Yang sudah tersimpan tetap aman. Coba lagi; \
                    bila tetap begini, jalankan wksbm verify dan panggil teknisi.";
        (StatusCode::INTERNAL_SERVER_ERROR, "Simpul belum dapat menjawab", text)
    }
}
