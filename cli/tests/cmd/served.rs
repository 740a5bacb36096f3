//! A node that runs in this process, asked over its local API.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use cli::api::{Api, ApiAsk, Limits, serve};
use node::live::{RunAsk, Running};
use node::node::Node;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::desk::Desk;

/// A node that runs on a desk's folder until it is dropped.
pub(crate) struct Served {
    runtime: Runtime,
    pub(crate) running: Running,
    pub(crate) api: Option<Api>,
    pub(crate) token: String,
}

impl Served {
    pub(crate) fn on(desk: &Desk) -> Self {
        Self::within(desk, Limits::default())
    }

    /// The same with other limits for connections.
    pub(crate) fn within(desk: &Desk, limits: Limits) -> Self {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(2).enable_all().build().unwrap();
        let node = Node::open(&desk.data(), desk.world().environment).unwrap();
        let (running, api) = runtime.block_on(async {
            let (running, _) = Running::start(node, RunAsk::default()).unwrap();
            let listen = "127.0.0.1:0".parse().unwrap();
            let ask = ApiAsk { listen, folder: desk.data(), limits };
            let api = serve(running.clone(), ask).await.unwrap();
            (running, api)
        });
        let token = std::fs::read_to_string(&api.token_file).unwrap().trim().to_owned();
        Self { runtime, running, api: Some(api), token }
    }

    pub(crate) fn host(&self) -> String {
        self.api.as_ref().unwrap().url.strip_prefix("http://").unwrap().to_owned()
    }

    /// Sends a request as it is, and returns the answer's status, head and body.
    pub(crate) fn sent(
        &self,
        line: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (u16, String, String) {
        let mut stream = self.open(line, headers, body);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_ascii_lowercase(), body.to_owned())
    }

    pub(crate) fn open(&self, line: &str, headers: &[(&str, &str)], body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.host()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut head = format!("{line} HTTP/1.1\r\nconnection: close\r\n");
        for (name, value) in headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        let length = body.len();
        write!(stream, "{head}content-length: {length}\r\n\r\n").unwrap();
        // A body that is too large may be refused before all of it is sent.
        let _sent = stream.write_all(body.as_bytes());
        stream
    }

    /// Asks as a program that was told the token.
    pub(crate) fn asked(&self, path: &str, ask: &Value) -> (u16, Value) {
        let (host, bearer) = (self.host(), format!("Bearer {}", self.token));
        let headers = [
            ("host", host.as_str()),
            ("authorization", &bearer),
            ("content-type", "application/json"),
        ];
        let (status, _, body) = self.sent(&format!("POST /v1/{path}"), &headers, &ask.to_string());
        (status, serde_json::from_str(&body).unwrap())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let mut api = self.api.take().unwrap();
        self.runtime.block_on(async {
            api.stop().await;
            let stopped = self.running.stop().await;
            assert!(stopped.is_ok() || self.running.broken().is_some(), "{stopped:?}");
        });
    }
}
