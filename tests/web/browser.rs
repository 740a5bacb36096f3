//! One Chromium without a window, driven over `WebDriver` on loopback.
//!
//! All it asks beyond loopback goes to a proxy of ours that answers nothing and writes down who was
//! asked. Chromium's own services are switched off by name where they can be.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader as AsyncBufReader};
use tokio::net::TcpListener;

/// How a browser looks at a page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) script: bool,
    pub(crate) size: (u32, u32),
    pub(crate) dark: bool,
}

pub(crate) struct Browser {
    client: Client,
    driver: Child,
    asked: Arc<Mutex<Vec<String>>>,
    // Its profile; gone with it.
    _profile: TempDir,
}

/// Says that something is not on this machine, and fails where it must be.
pub(crate) fn missing(what: &str) {
    let required = std::env::var("WKSBM_WEB_REQUIRED").is_ok_and(|set| set == "1");
    assert!(!required, "missing: {what}");
    drop(std::io::Write::write_all(
        &mut std::io::stderr(),
        format!("skipped: {what} is not on this machine\n").as_bytes(),
    ));
}

impl Browser {
    /// Starts a driver and a browser; nothing where they are missing.
    pub(crate) async fn open(look: Look) -> Option<Self> {
        let started = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut driver) = started else {
            missing("chromedriver");
            return None;
        };
        let Some(port) = port(&mut driver) else {
            missing("a chromedriver that starts");
            return None;
        };
        let asked = Arc::default();
        let proxy = trap(Arc::clone(&asked)).await;
        let profile = TempDir::new().unwrap();
        let capabilities = json!({ "goog:chromeOptions": {
            "args": arguments(look, proxy, &profile),
            "prefs": { "profile.managed_default_content_settings.javascript":
                       if look.script { 1 } else { 2 } },
        }});
        let capabilities = capabilities.as_object().unwrap().clone();
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap();
        let browser = Self { client, driver, asked, _profile: profile };
        browser.resize(look.size).await;
        Some(browser)
    }

    /// The window: as wide as asked for inside, whatever the browser puts around it.
    async fn resize(&self, (width, height): (u32, u32)) {
        // A window is never narrower than 500; the page's own width is set by its device.
        let command = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 } });
        self.client.issue_cmd(Devtools(command)).await.unwrap();
    }

    pub(crate) async fn close(&self) {
        self.client.clone().close().await.unwrap();
    }

    /// Whom the browser asked outside loopback.
    pub(crate) fn strangers(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) async fn go(&self, address: &str) {
        self.client.goto(address).await.unwrap();
    }

    pub(crate) async fn back(&self) {
        let old = self.client.find(Locator::Css("html")).await.unwrap();
        self.client.back().await.unwrap();
        left(&old).await;
    }

    pub(crate) async fn address(&self) -> String {
        self.client.current_url().await.unwrap().to_string()
    }

    pub(crate) async fn title(&self) -> String {
        self.client.title().await.unwrap()
    }

    pub(crate) async fn source(&self) -> String {
        self.client.source().await.unwrap()
    }

    /// The text that people see, spaces and lines as one space.
    pub(crate) async fn text(&self, css: &str) -> String {
        let found = self.client.find(Locator::Css(css)).await.unwrap();
        one_line(&found.text().await.unwrap())
    }

    pub(crate) async fn texts(&self, css: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for found in self.client.find_all(Locator::Css(css)).await.unwrap() {
            texts.push(one_line(&found.text().await.unwrap()));
        }
        texts
    }

    pub(crate) async fn links(&self, css: &str) -> Vec<String> {
        let mut links = Vec::new();
        for found in self.client.find_all(Locator::Css(css)).await.unwrap() {
            links.push(found.attr("href").await.unwrap().unwrap());
        }
        links
    }

    pub(crate) async fn count(&self, css: &str) -> usize {
        self.client.find_all(Locator::Css(css)).await.unwrap().len()
    }

    pub(crate) async fn fill(&self, css: &str, text: &str) {
        let found = self.client.find(Locator::Css(css)).await.unwrap();
        found.clear().await.unwrap();
        found.send_keys(text).await.unwrap();
    }

    pub(crate) async fn choose(&self, css: &str, value: &str) {
        let found = self.client.find(Locator::Css(css)).await.unwrap();
        found.select_by_value(value).await.unwrap();
    }

    /// Presses what leads to another page, and waits until the old one is gone.
    pub(crate) async fn press(&self, css: &str) {
        let old = self.client.find(Locator::Css("html")).await.unwrap();
        self.client.find(Locator::Css(css)).await.unwrap().click().await.unwrap();
        left(&old).await;
    }

    /// What a script of the test returns; the page's own policy does not reach it.
    pub(crate) async fn say(&self, script: &str) -> String {
        let told = self.client.execute(script, Vec::new()).await.unwrap();
        told.as_str().unwrap().to_owned()
    }

    /// The same, told when it is ready.
    pub(crate) async fn say_later(&self, script: &str) -> String {
        let told = self.client.execute_async(script, Vec::new()).await.unwrap();
        told.as_str().unwrap().to_owned()
    }

    /// The whole page.
    pub(crate) async fn picture(&self) -> Vec<u8> {
        let tall = self.say("return String(document.documentElement.scrollHeight)").await;
        let wide = self.say("return String(innerWidth)").await;
        self.resize((wide.parse().unwrap(), tall.parse().unwrap())).await;
        let png = self.client.screenshot().await.unwrap();
        self.resize((wide.parse().unwrap(), 800)).await;
        png
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A driver that ended by itself is as good as one that is ended here.
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The port a driver says it listens on.
fn port(driver: &mut Child) -> Option<u16> {
    let lines = BufReader::new(driver.stdout.take()?).lines();
    for line in lines.map_while(Result::ok) {
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            return port.trim_end_matches('.').trim().parse().ok();
        }
    }
    None
}

fn arguments(look: Look, proxy: u16, profile: &TempDir) -> Vec<String> {
    let mut arguments = vec![
        "--headless=new".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-quic".to_owned(),
        "--no-first-run".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        "--disable-default-apps".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--hide-scrollbars".to_owned(),
        format!("--proxy-server=http://127.0.0.1:{proxy}"),
        format!("--user-data-dir={}", profile.path().display()),
    ];
    if look.dark {
        arguments.push("--force-dark-mode".to_owned());
    }
    arguments
}

/// A proxy that writes down the first line of each request and answers nothing.
async fn trap(asked: Arc<Mutex<Vec<String>>>) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let asked = Arc::clone(&asked);
            tokio::spawn(async move {
                let mut line = String::new();
                let mut reader = AsyncBufReader::new(stream);
                let read = reader.read_line(&mut line);
                let read = tokio::time::timeout(Duration::from_secs(2), read).await;
                // What Chromium's maker is asked by the browser itself is no page's doing.
                if read.is_ok() && !line.is_empty() && !is_of_the_browser(&line) {
                    asked.lock().unwrap().push(line.trim().to_owned());
                }
            });
        }
    });
    port
}

/// Its maker's services, and the start page that Debian gives it.
const OF_THE_BROWSER: [&str; 5] =
    [".google.com", ".googleapis.com", ".gstatic.com", ".gvt1.com", "start.duckduckgo.com"];

fn is_of_the_browser(line: &str) -> bool {
    OF_THE_BROWSER.iter().any(|it| line.contains(it))
}

/// A command of the browser's own protocol.
#[derive(Debug)]
struct Devtools(serde_json::Value);

impl fantoccini::wd::WebDriverCompatibleCommand for Devtools {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (axum::http::Method, Option<String>) {
        (axum::http::Method::POST, Some(self.0.to_string()))
    }
}

/// Waits until a page's root belongs to no page any more: the browser answers, so this asks.
async fn left(old: &Element) {
    /// Questions before the page counts as stuck; the browser takes milliseconds for each.
    const ASKED_MAX: u32 = 5_000;
    for _ in 0..ASKED_MAX {
        if old.tag_name().await.is_err() {
            return;
        }
    }
    panic!("the page did not change");
}
