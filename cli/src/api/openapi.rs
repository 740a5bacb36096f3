//! The description of the API, made from the table and the types it names.

use node::ask::Ask;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::ASK_HEADER;
use super::events::Step;
use super::table::{But, Visit, each};
use crate::error::EXIT_CODES;

/// Where schemas lie in the description.
const SCHEMAS: &str = "/components/schemas";

/// The description, `OpenAPI` 3.1.
pub fn openapi() -> Value {
    let mut pages = Pages::new();
    each(&mut pages);
    let Pages { mut paths, mut asked, mut answered } = pages;
    let step = schema::<Step>(&mut answered);
    paths.extend(others(&step));
    let mut schemas = answered.take_definitions(true);
    schemas.extend(asked.take_definitions(true));
    schemas.insert("Failure".to_owned(), failure());
    schemas.sort_keys();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "wksbm",
            "version": "1",
            "description": "The node that runs on this machine. Loopback only; see docs/api.md.",
        },
        "security": [{"token": []}, {"cookie": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "wksbm-PORT"},
            },
        },
    })
}

/// Collects what is known of each question.
struct Pages {
    paths: Map<String, Value>,
    /// Types as they are read.
    asked: SchemaGenerator,
    /// Types as they are written: what is always there is required.
    answered: SchemaGenerator,
}

impl Pages {
    fn new() -> Self {
        let settings =
            || SchemaSettings::draft2020_12().with(|it| it.definitions_path = SCHEMAS.into());
        Self {
            paths: Map::new(),
            asked: settings().for_deserialize().into_generator(),
            answered: settings().for_serialize().into_generator(),
        }
    }
}

fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<T>().to_value()
}

impl Visit for Pages {
    fn ask<A: Ask>(&mut self, _: But<A>) {
        let ask = schema::<A>(&mut self.asked);
        let described = self.asked.definitions().get(A::schema_name().as_ref());
        let summary = described.and_then(|it| it.get("description")).cloned();
        let answer = schema::<A::Answer>(&mut self.answered);
        let named = json!({
            "name": ASK_HEADER, "in": "header", "schema": {"type": "string"},
            "description": "A name, under which its progress is told and it can be stopped.",
        });
        let page = json!({"post": {
            "operationId": A::PATH.replace('/', "_"),
            "summary": summary,
            "x-changes": A::CHANGES,
            "parameters": [named],
            "requestBody": {"content": {"application/json": {"schema": ask}}},
            "responses": {
                "200": {
                    "description": "Done; where a result is not whole, with `error` beside it.",
                    "content": {"application/json": {"schema": {"allOf": [versioned(), answer]}}},
                },
                "default": refused(),
            },
        }});
        self.paths.insert(format!("/v1/{}", A::PATH), page);
    }
}

fn versioned() -> Value {
    json!({"type": "object", "required": ["v"], "properties": {
        "v": {"const": 1}, "error": {"$ref": "#/components/schemas/Failure"},
    }})
}

fn refused() -> Value {
    json!({
        "description": "Nothing was done, and why.",
        "content": {"application/json": {"schema": {
            "type": "object", "required": ["v", "error"], "properties": {
                "v": {"const": 1}, "error": {"$ref": "#/components/schemas/Failure"},
            },
        }}},
    })
}

fn failure() -> Value {
    let kinds: Vec<&str> =
        EXIT_CODES.iter().flat_map(|(_, kinds)| kinds.iter().map(|kind| kind.as_str())).collect();
    let text = |what: &str| json!({"type": "string", "description": what});
    json!({
        "type": "object",
        "required": ["kind", "message", "cause", "hint", "exit"],
        "properties": {
            "kind": {"enum": kinds},
            "message": text("What failed, in the language of Accept-Language."),
            "cause": text("Why."),
            "hint": text("What to do next."),
            "exit": {"type": "integer", "description": "The command's exit code."},
            "detail": text("A finer word than the kind."),
            "facts": {
                "type": "object",
                "additionalProperties": {"anyOf": [
                    {"type": "string"},
                    {"type": "object", "properties": {"letters": {"type": "integer"}}},
                ]},
                "description": "What happened to which thing, by name: `field`, `rule`, `path`; of \
                    a typed text that may hold a person's data only its length, of a file of the \
                    question its place there (`/files/1`), and no path.",
            },
        },
    })
}

/// A question that was put: how long it waits, and its end.
fn one_ask(name: &Value) -> Value {
    json!({"get": {
        "operationId": "ask_turn",
        "summary": "Whether a question's turn has come, and what the node works on meanwhile; \
            answered at once.",
        "parameters": [name],
        "responses": {
            "200": {"description": "How it stands.", "content": {"application/json": {
                "schema": {"type": "object", "required": ["v", "state", "at_work"],
                    "properties": {
                        "v": {"const": 1},
                        "state": {"enum": ["waiting", "begun", "unknown"]},
                        "at_work": {"anyOf": [{"type": "null"}, {
                            "type": "object", "required": ["on", "seconds"], "properties": {
                                "on": {"type": ["string", "null"], "description":
                                    "The path of a question, or `peers` for what a peer sent."},
                                "seconds": {"type": "integer"},
                            },
                        }]},
                    },
                },
            }}},
            "default": refused(),
        },
    }, "delete": {
        "operationId": "stop_ask",
        "summary": "Stops a question where its work is whole; it then answers `interrupted`.",
        "parameters": [name],
        "responses": {
            "204": {"description": "It will stop."},
            "default": refused(),
        },
    }})
}

/// What is no question.
fn others(step: &Value) -> Map<String, Value> {
    let text = |name: &str, place: &str, required: bool| {
        let schema = json!({"type": "string"});
        json!({"name": name, "in": place, "required": required, "schema": schema})
    };
    let pages = json!({
        "/v1/hello": {"get": {
            "operationId": "hello", "security": [],
            "summary": "Shows that this is the node whose token file was read: BLAKE3, keyed with \
                the token, of `hello` and the nonce.",
            "parameters": [text("nonce", "query", true)],
            "responses": {"200": {"description": "The proof.", "content": {"application/json": {
                "schema": {"type": "object", "required": ["v", "proof", "trial"], "properties": {
                    "v": {"const": 1},
                    "proof": {"type": "string"},
                    "trial": {"type": "boolean"},
                }},
            }}}},
        }},
        "/v1/events": {"get": {
            "operationId": "events",
            "summary": "What happens: `peer_joined`, `peer_left`, `session`, `progress` .., as \
                `run --json` prints it. With `ask` only the progress of that question.",
            "parameters": [text("ask", "query", false)],
            "responses": {
                "200": {"description": "Server-sent events.", "content": {
                    "text/event-stream": {"schema": step},
                }},
                "default": refused(),
            },
        }},
        "/v1/asks/{name}": one_ask(&text("name", "path", true)),
        "/v1/sync": {"post": {
            "operationId": "sync",
            "summary": "Meets a peer and reconciles both ways, as `wksbm sync` does.",
            "requestBody": {"required": true, "content": {"application/json": {"schema": {
                "type": "object", "additionalProperties": false, "properties": {
                    "peers": {"type": "array", "items": {"type": "string"}, "description":
                        "Where peers listen, multiaddrs; without any, all this node knows."},
                    "timeout": {
                        "type": "integer", "minimum": 1, "maximum": 86_400, "default": 300,
                        "description": "Seconds until it is given up.",
                    },
                },
            }}}},
            "responses": {
                "200": {"description": "Both proved the same roots; the object of `wksbm sync`."},
                "default": refused(),
            },
        }},
        "/v1/page": {"post": {
            "operationId": "page",
            "summary": "A link that opens the pages in a browser of this machine, once, within five \
                minutes.",
            "requestBody": {"content": {"application/json": {"schema": {
                "type": "object", "additionalProperties": false,
            }}}},
            "responses": {
                "200": {"description": "The link.", "content": {"application/json": {"schema": {
                    "type": "object", "required": ["v", "link"], "properties": {
                        "v": {"const": 1}, "link": {"type": "string"},
                    },
                }}}},
                "default": refused(),
            },
        }},
        "/metrics": {"get": {
            "operationId": "metrics",
            "summary": "Counts in the text format of OpenMetrics.",
            "responses": {"200": {"description": "Counts, and no name."}},
        }},
        "/v1/openapi.json": {"get": {
            "operationId": "openapi",
            "summary": "This description.",
            "responses": {"200": {
                "description": "OpenAPI 3.1.", "content": {"application/json": {}},
            }},
        }},
        "/enter": {"get": {
            "operationId": "enter", "security": [],
            "summary": "Lets a browser in: a link's secret becomes a cookie, once.",
            "parameters": [text("token", "query", true)],
            "responses": {
                "303": {"description": "To the first page, with the cookie."},
                "default": refused(),
            },
        }},
    });
    pages.as_object().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use std::collections::BTreeSet;

    use super::*;
    use crate::help;
    use crate::settings::Language;

    #[test]
    fn the_committed_description_is_that_of_this_program() {
        let committed: Value =
            serde_json::from_str(include_str!("../../../docs/openapi.json")).unwrap();
        assert!(committed == openapi(), "`just openapi` writes docs/openapi.json anew");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let page = openapi();
        let text = page.to_string();
        let mut seen = 0;
        for part in text.split("\"$ref\":\"#").skip(1) {
            let at = part.split('"').next().unwrap();
            assert!(page.pointer(at).is_some(), "{at}");
            seen += 1;
        }
        assert!(seen > 60, "{seen}");
    }

    /// Commands that make a node, need none, or are the process itself.
    const ALONE: [&str; 8] =
        ["demo", "network create", "join", "run", "page", "sync", "completions", "man"];

    #[test]
    fn every_command_that_works_on_a_node_has_a_route_and_every_route_a_command() {
        fn leaves(command: &clap::Command, path: &str, found: &mut BTreeSet<String>) {
            for below in command.get_subcommands() {
                let path = format!("{path} {}", below.get_name()).trim().to_owned();
                if below.has_subcommands() {
                    leaves(below, &path, found);
                } else {
                    found.insert(path);
                }
            }
        }
        let mut commands = BTreeSet::new();
        leaves(&help::command(Language::English), "", &mut commands);
        commands.retain(|command| !ALONE.contains(&command.as_str()));
        let mut pages = Pages::new();
        each(&mut pages);
        let routes: BTreeSet<String> = pages
            .paths
            .keys()
            .map(|path| path.trim_start_matches("/v1/").replace('/', " "))
            .collect();
        assert_eq!(commands, routes);
    }
}
