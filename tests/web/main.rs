//! The pages in a real browser: Chromium over a real server over a node on real files.
//!
//! `desk.rs` the office whose pages are looked at, and its server · `browser.rs` the browser · `axe.rs`
//! who judges whether everybody can use them. Where Chromium, its driver or axe-core is missing the
//! tests say so and pass; with `WKSBM_WEB_REQUIRED=1` they fail instead.
#![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod axe;
mod browser;
mod desk;

use std::panic::{AssertUnwindSafe, resume_unwind};

use browser::{Browser, Look};
use desk::Desk;
use futures_util::FutureExt;

/// Bytes the first page may cost, with all that belongs to it.
const WEIGHT_MAX: usize = 40_000;
/// And requests.
const REQUESTS_MAX: usize = 3;
/// A small telephone.
const PHONE: (u32, u32) = (360, 740);
/// An office's screen.
const SCREEN: (u32, u32) = (1280, 900);

/// Runs one test with a desk and a browser, or says why not.
async fn with(look: Look, test: impl AsyncFnOnce(&Desk, &Browser)) {
    let Some(browser) = Browser::open(look).await else { return };
    let desk = Desk::open().await;
    let ended = AssertUnwindSafe(test(&desk, &browser)).catch_unwind().await;
    // A browser that nobody closes stays behind, also when a test fails.
    browser.close().await;
    if let Err(panic) = ended {
        resume_unwind(panic);
    }
    assert_eq!(browser.strangers(), Vec::<String>::new(), "the browser asked somebody else");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_script_every_page_says_who_it_is_and_that_nobody_is_real() {
    with(Look { script: false, size: SCREEN, dark: false }, async |desk, browser| {
        for path in desk.pages() {
            browser.go(&desk.address(&path)).await;
            let text = browser.text("body").await;
            assert!(text.contains("hanya data sintetis"), "{path}: {text}");
            assert!(text.contains("Desa Kedungjaya"), "{path}: {text}");
            assert!(browser.title().await.ends_with("· WKSBM"), "{path}");
            assert_eq!(browser.count("main h1").await, 1, "{path}");
            assert_eq!(browser.count("script").await, 0, "{path}");
        }
        browser.go(&desk.address("/")).await;
        let line = browser.text(".kabar .utama").await;
        assert!(line.starts_with("Semua "), "{line}");
        assert!(line.contains("sudah sampai di kecamatan (per "), "{line}");
        assert!(line.contains("dari kabupaten dan provinsi belum ada tanda terima"), "{line}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_a_record_by_name_and_no_address_holds_the_name() {
    with(Look { script: false, size: SCREEN, dark: false }, async |desk, browser| {
        browser.go(&desk.address("/")).await;
        browser.fill("#kata", "euis").await;
        browser.press("form.cari button").await;
        assert_eq!(browser.texts(".daftar tbody th a").await, ["Euis Contoh"]);
        let address = browser.address().await;
        assert!(!address.to_lowercase().contains("euis"), "{address}");
        // The filters stay with the search, and the way back needs no second sending.
        browser.press(".daftar tbody th a").await;
        assert_eq!(browser.text("h1").await, "Euis Contoh");
        assert!(browser.text("main").await.contains("Lanjut usia terlantar"));
        browser.back().await;
        assert_eq!(browser.texts(".daftar tbody th a").await, ["Euis Contoh"]);
        browser.choose("#jenis", "keluarga").await;
        browser.press("form.cari button").await;
        assert_eq!(browser.text(".jumlah").await, "Tidak ada catatan yang cocok. Tampilkan semua");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_and_pages_lead_through_every_record_once() {
    with(Look { script: false, size: SCREEN, dark: false }, async |desk, browser| {
        browser.go(&desk.address("/catatan")).await;
        let mut seen = browser.links(".daftar tbody th a").await;
        while browser.count("a[rel=next]").await == 1 {
            browser.press("a[rel=next]").await;
            let said = browser.text(".jumlah").await;
            assert!(said.contains("Lembar 2 dari 2."), "{said}");
            seen.extend(browser.links(".daftar tbody th a").await);
        }
        let all = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!((seen.len(), all), (desk.records, desk.records));
        assert!(all > 50, "one page only");
        browser.go(&desk.address("/catatan?status=diverifikasi")).await;
        let states = browser.texts(".daftar tbody td:nth-child(3)").await;
        assert!(!states.is_empty() && states.len() < all, "{states:?}");
        assert!(states.iter().all(|state| state == "Diverifikasi"), "{states:?}");
        browser.go(&desk.address("/catatan?jenis=kps")).await;
        let kinds = browser.texts(".daftar tbody td:nth-child(2)").await;
        assert!(!kinds.is_empty() && kinds.iter().all(|kind| kind == "KPS"), "{kinds:?}");
        for wrong in ["/catatan?setelah=x", "/catatan?jenis=tidakada"] {
            browser.go(&desk.address(wrong)).await;
            assert_eq!(browser.text("h1").await, "Permintaan tidak dikenal", "{wrong}");
        }
        for gone in ["/catatan/00000000000000000000000000000000", "/catatan/x"] {
            browser.go(&desk.address(gone)).await;
            assert_eq!(browser.text("h1").await, "Catatan tidak ditemukan", "{gone}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_is_marked_and_shows_both_values_with_who_and_when() {
    with(Look { script: false, size: SCREEN, dark: false }, async |desk, browser| {
        browser.go(&desk.address("/catatan?konflik=ya")).await;
        assert_eq!(browser.texts(".daftar .tanda").await, ["konflik"]);
        for path in ["/konflik".to_owned(), format!("/catatan/{}", desk.contested)] {
            browser.go(&desk.address(&path)).await;
            let mut values = browser.texts(".beda .isian").await;
            values.sort();
            assert_eq!(values, ["Jalan Kenanga 4", "Jalan Melati 9"], "{path}");
            let told = browser.text(".beda").await;
            assert_eq!(told.matches("perangkat ").count(), 4, "{path}: {told}");
            assert!(told.contains("(Desa Kedungjaya)"), "{path}: {told}");
            assert!(told.contains("(Kecamatan Kedawung)"), "{path}: {told}");
            assert!(told.contains("November 2026 pukul"), "{path}: {told}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_specific_value_is_hidden_everywhere() {
    with(Look { script: false, size: SCREEN, dark: false }, async |desk, browser| {
        browser.go(&desk.address(&format!("/catatan/{}", desk.named))).await;
        let text = browser.text("main").await;
        assert!(text.contains("tersembunyi"), "{text}");
        for path in desk.pages() {
            browser.go(&desk.address(&path)).await;
            let source = browser.source().await;
            assert!(!source.contains(desk::SECRET), "{path}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_in_a_record_is_text() {
    with(Look { script: true, size: SCREEN, dark: false }, async |desk, browser| {
        for path in [format!("/catatan/{}", desk.hostile), "/catatan?jenis=kps".to_owned()] {
            browser.go(&desk.address(&path)).await;
            assert!(browser.text("main").await.contains(desk::SCRIPT), "{path}");
            assert_eq!(browser.count("script").await, 0, "{path}");
            assert_eq!(browser.say("return String(window.terjadi)").await, "undefined", "{path}");
            // Even a script that got in would not run.
            let tried = "const it = document.createElement('script'); it.textContent = \
                         'window.terjadi = 1'; document.body.append(it); \
                         return String(window.terjadi)";
            assert_eq!(browser.say(tried).await, "undefined", "{path}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_page_is_light() {
    with(Look { script: false, size: PHONE, dark: false }, async |desk, browser| {
        desk.forget_requests();
        browser.go(&desk.address("/")).await;
        // The icon is asked for after the page is there.
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let (requests, bytes) = desk.requests();
        assert!(requests.len() <= REQUESTS_MAX, "{requests:?}");
        assert!(requests.contains(&"/".to_owned()) && bytes > 0, "{requests:?}");
        assert!(bytes < WEIGHT_MAX, "{bytes} bytes");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_forbids_what_no_page_needs() {
    let desk = Desk::open().await;
    for path in desk.pages().into_iter().chain(["/tidak-ada".to_owned(), "/gaya.css".to_owned()]) {
        let told = desk.headers(&path).await;
        for line in [
            "content-security-policy: default-src 'none'; style-src 'self'; img-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "referrer-policy: same-origin",
        ] {
            assert!(told.contains(line), "{path}: {told}");
        }
        let kept = if path == "/gaya.css" { "private, max-age=3600" } else { "no-store" };
        assert!(told.contains(&format!("cache-control: {kept}")), "{path}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_can_use_every_page_by_day_and_by_night() {
    let Some(axe) = axe::source() else { return };
    for (size, dark) in [(SCREEN, false), (PHONE, true)] {
        with(Look { script: true, size, dark }, async |desk, browser| {
            for path in desk.pages().into_iter().chain([desk::DOOR.to_owned()]) {
                browser.go(&desk.address(&path)).await;
                let found = axe::violations(browser, &axe).await;
                assert!(found.is_empty(), "{path}: {found:#?}");
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_runs_over_the_edge_of_a_small_telephone() {
    // 360 points is also what is left of a 720 wide window at 200 %.
    with(Look { script: true, size: PHONE, dark: false }, async |desk, browser| {
        for path in desk.pages().into_iter().chain([desk::DOOR.to_owned()]) {
            browser.go(&desk.address(&path)).await;
            let over = "return String(document.documentElement.scrollWidth - innerWidth)";
            let over: i64 = browser.say(over).await.parse().unwrap();
            assert!(over <= 0, "{path}: {over} points too wide");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_taken_when_asked_for() {
    let Some(folder) = std::env::var_os("WKSBM_WEB_PICTURES") else { return };
    for (name, size, dark) in
        [("screen", SCREEN, false), ("phone", PHONE, false), ("night", SCREEN, true)]
    {
        with(Look { script: true, size, dark }, async |desk, browser| {
            for (number, path) in desk.pages().iter().enumerate() {
                browser.go(&desk.address(path)).await;
                let png = browser.picture().await;
                let file = std::path::Path::new(&folder).join(format!("{name}-{number}.png"));
                std::fs::write(file, png).unwrap();
            }
        })
        .await;
    }
}
