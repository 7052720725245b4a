//! `tirta audit export` and `tirta audit verify`: what is asked, what is written, and how somebody who was at the log is told.

use crate::support::{StandIn, complaint, told};
use serde_json::{Value, json};
use shared::chain::{Head, Opening, Row};

const ALL: &str = "GET /api/v1/audit/export?format=jsonl";

/// An export of so many entries, far more than one packet, and how it ends.
fn export(entries: i64) -> (String, Head) {
    let (mut head, mut lines) = (Head::of_nothing(), String::new());
    for id in 1..=entries {
        let (who, act, detail) = ("admin".to_owned(), "user.changed".to_owned(), json!({ "n": id }).to_string());
        let mut row = Row { id, at: id, who, act, device: None, serial: None, address: None, detail, hash: None };
        row.hash = Some(row.hash_after(&head.hash));
        head = Head::of(id, row.hash.clone());
        lines += &format!("{}\n", serde_json::to_string(&row).unwrap());
    }
    let opening = Opening { tirta_audit: 1, after: Head::of_nothing(), through: head.clone(), head: head.clone() };
    (format!("{}\n{lines}", serde_json::to_string(&opening).unwrap()), head)
}

fn verdict(said: &[u8]) -> Value {
    let said = std::str::from_utf8(said).unwrap();
    serde_json::from_str(said.lines().last().unwrap()).unwrap()
}

#[test]
fn a_server_is_not_believed_and_the_last_line_is_for_programs() {
    let (text, head) = export(5_000);
    let server = StandIn::new(&[(ALL, 200, text.clone().into()), (ALL, 200, text.clone().into())]);
    let said = server.tirta(&["audit", "verify", "--head", &head.to_string()]);
    let wanted = json!({ "intact": true, "entries": 5_000, "first": 1, "head": head.to_string() });
    assert_eq!(verdict(said.as_bytes()), wanted);
    let other = Head { id: 6_000, ..head };
    let output = server.tirta_in(".".as_ref(), &["audit", "verify", "--head", &other.to_string()]);
    assert_eq!((output.status.code(), verdict(&output.stdout)["problem"].clone()), (Some(1), json!("truncated")));
    assert!(complaint(&output).contains("the log ends with entry 5000, but it had entry 6000"));

    let server = StandIn::new(&[(ALL, 200, text.replacen("budi", "sari", 1).replacen("admin", "budi", 1).into())]);
    let output = server.tirta_in(".".as_ref(), &["audit", "verify"]);
    let said = verdict(&output.stdout);
    assert_eq!((&said["intact"], &said["entry"], &said["problem"]), (&json!(false), &json!(1), &json!("changed")));
    let server = StandIn::new(&[(ALL, 403, json!({ "code": "forbidden", "detail": "only auditors" }))]);
    assert!(server.refused(&["audit", "verify"]).contains("only auditors"));
}

#[test]
fn a_server_that_begins_the_log_later_is_found_out_and_a_file_is_said_to_be_a_part() {
    let (text, head) = export(5);
    let lines: Vec<&str> = text.lines().collect();
    let second: Row = serde_json::from_str(lines[2]).unwrap();
    let opening = Opening { tirta_audit: 1, after: Head::of(2, second.hash), through: head.clone(), head };
    let part = format!("{}\n{}\n", serde_json::to_string(&opening).unwrap(), lines[3..].join("\n"));
    let server = StandIn::new(&[(ALL, 200, part.clone().into())]);
    let output = server.tirta_in(".".as_ref(), &["audit", "verify"]);
    let said = verdict(&output.stdout);
    assert_eq!((output.status.code(), &said["problem"], &said["entry"]), (Some(1), &json!("removed"), &json!(1)));

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("part.jsonl"), part).unwrap();
    let output = server.tirta_in(folder.path(), &["audit", "verify", "--file", "part.jsonl"]);
    told(&output);
    assert_eq!((&verdict(&output.stdout)["first"], &verdict(&output.stdout)["entries"]), (&json!(3), &json!(3)));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("this is a part of the log: entries 1 to 2 are not in it"), "{said}");
}

#[test]
fn an_export_is_a_file_that_is_verified_on_the_way_and_later_without_a_server() {
    let (text, head) = export(30);
    let folder = tempfile::tempdir().unwrap();
    let part = "GET /api/v1/audit/export?format=jsonl&from=0&to=86400000";
    let server = StandIn::new(&[(part, 200, text.clone().into()), (ALL, 200, text[..text.len() / 2].into())]);
    let words = ["audit", "export", "--out", "audit.jsonl", "--from", "1970-01-01", "--to", "1970-01-02"];
    let output = server.tirta_in(folder.path(), &words);
    told(&output);
    assert_eq!(verdict(&output.stdout)["head"], head.to_string());
    assert_eq!(std::fs::read_to_string(folder.path().join("audit.jsonl")).unwrap(), text);
    let again = server.tirta_in(folder.path(), &["audit", "export", "--out", "audit.jsonl"]);
    assert!(complaint(&again).contains("audit.jsonl is there already"));
    let cut = server.tirta_in(folder.path(), &["audit", "export", "--out", "half.jsonl"]);
    assert!(complaint(&cut).contains("the audit log is broken"), "an export that breaks off is none");

    let verified = server.tirta_in(folder.path(), &["audit", "verify", "--file", "audit.jsonl"]);
    told(&verified);
    assert_eq!(verdict(&verified.stdout)["entries"], 30);
    std::fs::write(folder.path().join("audit.jsonl"), text.replacen("\"n\":7", "\"n\":8", 1)).unwrap();
    let changed = server.tirta_in(folder.path(), &["audit", "verify", "--file", "audit.jsonl"]);
    assert_eq!((changed.status.code(), verdict(&changed.stdout)["entry"].clone()), (Some(1), json!(7)));
    assert_eq!(server.signed_in(), 2, "a file is verified without anybody's password");
}

#[test]
fn a_spreadsheet_is_written_as_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let server = StandIn::new(&[("GET /api/v1/audit/export?format=csv", 200, "id,at\n1,2\n".into())]);
    told(&server.tirta_in(folder.path(), &["audit", "export", "--format", "csv", "--out", "audit.csv"]));
    assert_eq!(std::fs::read_to_string(folder.path().join("audit.csv")).unwrap(), "id,at\n1,2\n");
    let server = StandIn::new(&[(ALL, 200, "x".into())]);
    assert_eq!(server.tirta(&["audit", "export", "--out", "-"]), "x");
}
