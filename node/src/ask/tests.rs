//! Answers of a node that holds something come back from JSON as they went.
#![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

use std::path::Path;
use std::sync::Arc;

use crdt_schema::record::{Schema, Wish};
use serde_json::{Value, json};

use super::record::Given;
use super::*;
use crate::node::{CreateNetwork, Environment};
use crate::progress::Unwatched;

const DESA: &str = "32.09.21.2001";

fn environment() -> Environment {
    Environment::system(Arc::new(Schema::standard().clone()))
}

fn province(folder: &Path) -> Node {
    let env = environment();
    let ask = CreateNetwork { name: "Uji".to_owned(), area: "32".to_owned() };
    Node::create_network(folder, &env, &ask).unwrap();
    Node::open(folder, env).unwrap()
}

/// Sends a question and its answer through JSON; the answer as JSON, once its way there and back
/// changed nothing.
fn there_and_back<A: Ask>(node: &mut Node, ask: Value) -> Value {
    let read: A = serde_json::from_value(ask).unwrap();
    let again: A = serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
    let answer = put(again, node, &mut Unwatched).unwrap_or_else(|e| panic!("{}: {e}", A::PATH));
    let sent = serde_json::to_string(&answer).unwrap();
    let received: A::Answer = serde_json::from_str(&sent).unwrap();
    assert_eq!(serde_json::to_string(&received).unwrap(), sent, "{}", A::PATH);
    serde_json::from_str(&sent).unwrap()
}

#[test]
fn every_answer_of_a_filled_node_comes_back_as_it_went() {
    let room = tempfile::tempdir().unwrap();
    let file = |name: &str| room.path().join(name).display().to_string();
    let mut node = province(&room.path().join("data"));
    let node = &mut node;
    let person = json!({"kind": "ppks", "area": DESA, "changes": [
        {"field": "nama", "op": "put", "value": "Uji"},
        {"field": "kode_jenis", "op": "put", "value": "LUT"},
        {"field": "unit", "op": "put", "value": "orang"},
        {"field": "jenis_kelamin", "op": "put", "value": "P"},
        {"field": "alamat", "op": "clear"},
    ]});
    let write = there_and_back::<AddRecord>(node, person);
    let record = write.get("record").unwrap();
    let change = json!([{"field": "nama", "op": "put", "value": "Uji Dua"}]);
    there_and_back::<SetRecord>(node, json!({"record": record, "changes": change}));
    there_and_back::<MakeSynthetic>(node, json!({"preset": "desa", "seed": 3, "records": 40}));
    let settle = json!({"record": record, "field": "nama", "value": "Uji Tiga"});
    there_and_back::<SettleConflict>(node, settle);
    let shown = there_and_back::<ShowRecord>(node, json!({"record": record}));
    assert_eq!(shown.pointer("/fields/nama/value").unwrap(), "Uji Tiga");
    let list = there_and_back::<ListRecords>(node, json!({"limit": 100}));
    for row in list.get("records").unwrap().as_array().unwrap() {
        let record = row.get("record").unwrap();
        there_and_back::<ShowRecord>(node, json!({"record": record}));
        there_and_back::<ShowRecord>(node, json!({"record": record, "reveal": "uji"}));
        there_and_back::<ShowHistory>(node, json!({"record": record}));
    }
    there_and_back::<ListConflicts>(node, json!({}));
    there_and_back::<ExportRecord>(node, json!({"record": record, "file": file("dokumen")}));
    std::fs::write(room.path().join("lembar.csv"), "Nama;Jenis PPKS\nUji;LUT\n;XX\n").unwrap();
    let sheet = json!({"file": file("lembar.csv"), "kind": "ppks", "area": DESA});
    there_and_back::<ImportSheet>(node, sheet);
    there_and_back::<InviteDevice>(node, json!({"area": DESA, "file": file("undangan")}));
    there_and_back::<ListMembers>(node, json!({}));
    there_and_back::<ShowArea>(node, json!({"code": "32.09.21"}));
    there_and_back::<ListAreas>(node, json!({"under": "32.09.21"}));
    let moved = json!({"old": DESA, "new": "32.09.20.2099"});
    there_and_back::<RehomeArea>(node, moved);
    let under_both_names = there_and_back::<ShowArea>(node, json!({"code": DESA}));
    assert_eq!(under_both_names.get("area_id").unwrap(), "32092120010");
    there_and_back::<ExportBundle>(node, json!({"for": "all", "file": file("paket")}));
    there_and_back::<ExportBundle>(node, json!({"for": {"area": "32.09"}, "file": file("lagi")}));
    there_and_back::<InspectBundle>(node, json!({"file": file("paket")}));
    there_and_back::<ImportBundles>(node, json!({"files": [file("paket")]}));
    there_and_back::<AddPeer>(node, json!({"address": "/ip4/192.0.2.7/tcp/4001"}));
    there_and_back::<RemovePeer>(node, json!({"peer": "/ip4/192.0.2.7/tcp/4001"}));
    there_and_back::<ListPeers>(node, json!({}));
    there_and_back::<ShowRoot>(node, json!({}));
    there_and_back::<VerifyAll>(node, json!({"rebuild": true}));
    there_and_back::<DescribeKinds>(node, json!({}));
    there_and_back::<DescribeWords>(node, json!({}));
    let second = room.path().join("second");
    Node::join(&second, &environment(), Path::new(&file("undangan"))).unwrap();
    let mut second = Node::open(&second, environment()).unwrap();
    there_and_back::<CloseMember>(&mut second, json!({}));
    there_and_back::<ShowStatus>(node, json!({}));
}

#[test]
fn a_question_with_a_word_too_many_or_half_a_change_is_refused() {
    let read = |ask: Value| serde_json::from_value::<ImportSheet>(ask).map(drop);
    let whole = json!({"file": "/x", "kind": "ppks", "area": "32", "apply": true});
    assert!(read(whole).is_ok());
    let slip = json!({"file": "/x", "kind": "ppks", "area": "32", "appply": true});
    assert!(read(slip).is_err());
    let half = |op, value: Option<Given>| {
        let change = Change { field: "nama".to_owned(), op, value };
        crdt_schema::record::Ask::try_from(change).is_ok()
    };
    let text = |text: &str| Some(Given::Text(text.to_owned()));
    assert!(half(Op::Put, text("")) && half(Op::Clear, None));
    assert!(!half(Op::Add, None) && !half(Op::Clear, text("x")));
    assert!(half(Op::Put, Some(Given::Truth(true))) && !half(Op::Add, Some(Given::Truth(true))));
    let list = || Some(Given::List(vec!["x".to_owned()]));
    assert!(half(Op::Put, list()) && !half(Op::Remove, list()));
}

#[test]
fn a_value_travels_as_what_it_was_given_as() {
    for (wish, written) in [
        (Wish::Put("a;b".to_owned()), json!("a;b")),
        (Wish::Truth(false), json!(false)),
        (Wish::Whole(vec!["a;b".to_owned()]), json!(["a;b"])),
    ] {
        let ask = crdt_schema::record::Ask { field: "nama".to_owned(), what: wish };
        let sent = serde_json::to_value(Change::from(ask.clone())).unwrap();
        assert_eq!(sent.get("value"), Some(&written));
        let heard: Change = serde_json::from_value(sent).unwrap();
        assert_eq!(crdt_schema::record::Ask::try_from(heard).unwrap(), ask);
    }
}

#[test]
fn of_a_question_nobody_waits_for_nothing_is_begun() {
    struct Gone;
    impl Progress for Gone {
        fn at(&mut self, _: u64, _: u64) -> bool {
            false
        }
    }
    let room = tempfile::tempdir().unwrap();
    let mut node = province(&room.path().join("data"));
    let ask = AddRecord {
        kind: "kegiatan".to_owned(),
        area: DESA.to_owned(),
        person: 0,
        changes: Vec::new(),
    };
    let ended = put(ask, &mut node, &mut Gone);
    assert!(matches!(ended, Err(NodeError::Interrupted)));
    assert_eq!(node.status().unwrap().records, 0);
}
