//! What `tirta` asks of a server, word for word, and what it tells of the answers.

use crate::support::{EXPIRES, StandIn, complaint, told};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

const SERIAL: &str = "10000000a3c40011";
const OTHER: &str = "10000000a3c40012";
const FILE: &str = "# The fleet.\nserver = \"https://tirta.local:8443\"\nca_sha256 = \"00ff\"\ntoken = \"s3cret\"\n";

/// A token as the server lists it.
fn token(id: &str, uses_left: u32, revoked_at: Option<i64>) -> Value {
    json!({ "id": id, "uses": 99, "uses_left": uses_left, "expires_at": 32_503_680_000_000_i64, "created_at": 0,
        "created_by": "admin", "note": "harbour", "admits": "registered", "location": "Pond 3", "serials": [SERIAL],
        "revoked_at": revoked_at })
}

/// A token as the server makes it.
fn made() -> Value {
    let mut made = token("t1", 99, None);
    made["token"] = json!("s3cret");
    made["ca_sha256"] = json!("00ff");
    made["fleet_file"] = json!(FILE);
    made
}

fn problem(code: &str, detail: &str) -> Value {
    json!({ "code": code, "title": "Refused", "detail": detail })
}

#[test]
fn a_token_is_made_with_its_policy_and_only_its_secret_is_put_out() {
    let server = StandIn::new(&[("POST /api/v1/enrolment-tokens", 201, made())]);
    let serials = format!("{SERIAL},A3C40012");
    let words = ["token", "create", "--uses", "5", "--valid", "12h", "--note", "harbour", "--admits", "any"];
    let said = server.tirta(&[&words[..], &["--location", "Pond 3", "--serials", &serials]].concat());
    assert_eq!(said, "s3cret\n");
    let wanted = json!({ "uses": 5, "valid_s": 43_200, "note": "harbour", "admits": "any", "location": "Pond 3",
        "serials": [SERIAL, "00000000a3c40012"] });
    assert_eq!(server.asked_json(), [("POST /api/v1/enrolment-tokens".to_owned(), wanted)]);
}

#[test]
fn a_token_admits_registered_boards_unless_something_else_is_said() {
    let server = StandIn::new(&[("POST /api/v1/enrolment-tokens", 201, made())]);
    server.tirta(&["token", "create"]);
    let wanted = json!({ "uses": 99, "valid_s": 604_800, "note": "", "admits": "registered" });
    assert_eq!(server.asked()[0].json(), wanted);
}

#[test]
fn tokens_are_listed_with_their_state_and_revoked_by_either_word() {
    let tokens = json!({ "tokens": [token("t1", 7, None), token("t2", 0, None), token("t3", 7, Some(5))] });
    let server = StandIn::new(&[
        ("GET /api/v1/enrolment-tokens", 200, tokens),
        ("DELETE /api/v1/enrolment-tokens/t1", 204, Value::Null),
        ("DELETE /api/v1/enrolment-tokens/t2", 204, Value::Null),
    ]);
    let said = server.tirta(&["token", "list"]);
    let lines: Vec<&str> = said.lines().collect();
    assert!(
        lines[0].starts_with("t1  valid        7 of 99    left  until 3000-01-01  registered at \"Pond 3\", serial 1")
    );
    assert!(lines[1].starts_with("t2  used up") && lines[2].starts_with("t3  revoked"), "{said}");
    server.tirta(&["token", "revoke", "t1"]);
    server.tirta(&["token", "delete", "t2"]);
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn a_fleet_file_is_for_its_owner_and_says_where_the_server_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tirta-fleet.toml");
    std::fs::write(folder.path().join("boards"), format!("# two\n{SERIAL}\n{OTHER}\n")).unwrap();
    let server = StandIn::new(&[("POST /api/v1/enrolment-tokens", 201, made())]);
    let words = ["fleet-config", "--address", "https://10.0.0.5:8443/", "--uses", "2", "--serials-file", "boards"];
    let output = server.tirta_in(folder.path(), &words);
    assert_eq!(told(&output), "");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), FILE.replace("tirta.local", "10.0.0.5"));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let advice = String::from_utf8(output.stderr).unwrap();
    assert!(advice.contains("Copy tirta-fleet.toml to the boot partition of each card."), "{advice}");
    assert!(advice.contains("Devices ask https://10.0.0.5:8443.") && advice.contains("revoke t1"), "{advice}");
    assert!(!advice.contains("s3cret"), "{advice}");
    let wanted =
        json!({ "uses": 2, "valid_s": 604_800, "note": "", "admits": "registered", "serials": [SERIAL, OTHER] });
    assert_eq!(server.asked()[0].json(), wanted);
}

#[test]
fn a_fleet_file_that_is_there_is_kept_and_no_token_is_made_for_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pond.toml");
    std::fs::write(&file, "precious").unwrap();
    let server = StandIn::new(&[("POST /api/v1/enrolment-tokens", 201, made())]);
    let why = complaint(&server.tirta_in(folder.path(), &["fleet-config", "--out", "pond.toml"]));
    assert!(why.contains("pond.toml is there already") && why.contains("--force"), "{why}");
    assert_eq!((server.signed_in(), std::fs::read_to_string(&file).unwrap()), (0, "precious".to_owned()));
    told(&server.tirta_in(folder.path(), &["fleet-config", "--out", "pond.toml", "--force"]));
    assert_eq!((server.asked().len(), std::fs::read_to_string(&file).unwrap()), (1, FILE.to_owned()));
}

#[test]
fn a_fleet_file_can_go_to_the_output_and_name_no_server() {
    let server = StandIn::new(&[("POST /api/v1/enrolment-tokens", 201, made())]);
    let said = server.tirta(&["fleet-config", "--out", "-", "--discover"]);
    assert_eq!(said, "# The fleet.\nca_sha256 = \"00ff\"\ntoken = \"s3cret\"\n");
}

#[test]
fn a_token_that_could_not_be_handed_out_is_named_so_that_it_can_be_revoked() {
    let answer = ("POST /api/v1/enrolment-tokens", 201, made());
    let server = StandIn::new(std::slice::from_ref(&answer));
    let why = server.refused(&["fleet-config", "--out", "nowhere/at/all.toml"]);
    assert!(why.contains("nowhere/at/all.toml") && why.contains("tirta token revoke t1"), "{why}");
    let server = StandIn::new(&[(answer.0, 201, token("t1", 99, None))]);
    let why = server.refused(&["fleet-config", "--out", "-"]);
    assert!(why.contains("no fleet file") && why.contains("tirta token revoke t1"), "{why}");
}

#[test]
fn boards_that_wait_are_listed_with_the_reason() {
    let board = json!({ "id": "w1", "serial": SERIAL, "key_sha256": "0123456789abcdef", "model": "Pi\u{1b}[2J 4",
        "address": "10.0.0.7", "reason": "second_key", "copied_from": { "name": "pi-3", "serial": OTHER },
        "device": "pi-7", "token_id": "t1", "since": 0, "last_asked": 60_000 });
    let server = StandIn::new(&[
        ("GET /api/v1/waiting", 200, json!({ "waiting": [board] })),
        ("GET /api/v1/waiting", 200, json!({ "waiting": [] })),
    ]);
    let said = server.tirta(&["waiting", "list"]);
    assert!(said.starts_with(&format!("w1  {SERIAL}  since 1970-01-01 00:00")), "{said}");
    assert!(said.contains("pi-7 has this serial with another key") && said.contains("on a card of pi-3"), "{said}");
    assert!(!said.contains('\u{1b}'), "what a board says of itself moves no cursor");
    assert_eq!(server.tirta(&["waiting", "list"]), "");
}

#[test]
fn a_board_is_approved_on_terms_and_refused() {
    let server = StandIn::new(&[
        ("POST /api/v1/waiting/w1/approve", 200, json!({ "name": "pi-3" })),
        ("POST /api/v1/waiting/w2/approve", 200, json!({ "name": "tank-1" })),
        ("POST /api/v1/waiting/w3/refuse", 204, Value::Null),
    ]);
    assert_eq!(server.tirta(&["waiting", "approve", "w1", "--replaces", "pi-3"]), "pi-3\n");
    assert_eq!(server.tirta(&["waiting", "approve", "w2", "--name", "tank-1", "--location", "Tank"]), "tank-1\n");
    assert_eq!(server.tirta(&["waiting", "refuse", "w3"]), "");
    let bodies: Vec<Value> = server.asked().iter().map(crate::support::Asked::json).collect();
    assert_eq!(bodies, [json!({ "replaces": "pi-3" }), json!({ "name": "tank-1", "location": "Tank" }), Value::Null]);
}

#[test]
fn one_board_that_can_not_be_approved_keeps_no_other_out() {
    let gone = problem("not_found", "nobody waits under this id");
    let server = StandIn::new(&[
        ("POST /api/v1/waiting/w1/approve", 404, gone),
        ("POST /api/v1/waiting/w2/approve", 200, json!({ "name": "pi-8" })),
    ]);
    let output = server.tirta_in(std::path::Path::new("."), &["waiting", "approve", "w1", "w2"]);
    let why = complaint(&output);
    assert!(
        why.contains("w1: the server refuses (404, not_found): nobody waits") && why.contains("1 of 2 failed"),
        "{why}"
    );
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "w2  pi-8\n");
    assert!(server.asked().iter().all(|asked| asked.json() == json!({})));
}

#[test]
fn all_that_only_were_not_expected_are_approved_at_once() {
    let server = StandIn::new(&[("POST /api/v1/waiting/approve-all", 200, json!({ "approved": ["pi-8", "pi-9"] }))]);
    assert_eq!(server.tirta(&["waiting", "approve", "--all"]), "pi-8\npi-9\n");
    assert_eq!(server.asked()[0].json(), Value::Null);
    let why = server.refused(&["waiting", "approve", "w1", "w2", "--name", "pi-3"]);
    assert!(why.contains("--name and --replaces are for one board"), "{why}");
}

#[test]
fn a_board_takes_the_place_of_another_at_once_or_when_it_asks() {
    let server = StandIn::new(&[
        ("POST /api/v1/devices/pi-7/replace", 200, json!({ "name": "pi-7", "waiting": true })),
        ("POST /api/v1/devices/pi-7/replace", 200, json!({ "name": "pi-7", "waiting": false })),
        ("POST /api/v1/devices/pi-7/revoke", 204, Value::Null),
    ]);
    let words = ["devices", "replace", "pi-7", "--serial", SERIAL];
    assert_eq!(server.tirta(&words), format!("{SERIAL} is pi-7\n"));
    assert_eq!(server.tirta(&words), format!("{SERIAL} becomes, when it first asks, pi-7\n"));
    assert_eq!(server.tirta(&["devices", "revoke", "pi-7"]), "");
    let bodies: Vec<Value> = server.asked().iter().map(crate::support::Asked::json).collect();
    assert_eq!(bodies, [json!({ "serial": SERIAL }), json!({ "serial": SERIAL }), Value::Null]);
}

#[test]
fn the_window_for_returning_boards_is_shown_opened_and_closed() {
    let (open, closed) = (json!({ "returns_until": 7_200_000 }), json!({ "returns_until": null }));
    let server = StandIn::new(&[
        ("GET /api/v1/enrolment-policy", 200, closed.clone()),
        ("PUT /api/v1/enrolment-policy", 200, open),
        ("PUT /api/v1/enrolment-policy", 200, closed),
    ]);
    assert!(server.tirta(&["devices", "returns"]).starts_with("closed"));
    let said = server.tirta(&["devices", "returns", "--for", "2h"]);
    assert_eq!(said, "boards come back by themselves until 1970-01-01 02:00 UTC\n");
    assert!(server.tirta(&["devices", "returns", "--close"]).starts_with("closed"));
    let bodies: Vec<Value> = server.asked().iter().map(crate::support::Asked::json).collect();
    assert_eq!(bodies, [Value::Null, json!({ "returns_for_s": 7200 }), json!({ "returns_for_s": 0 })]);
}

#[test]
fn a_device_is_claimed_where_it_stands() {
    let answer = json!({ "name": "pi-7", "serial": SERIAL, "location": "Pond 3", "approved": true });
    let server = StandIn::new(&[("POST /api/v1/claim", 200, answer.clone()), ("POST /api/v1/claim", 200, answer)]);
    let words = ["devices", "claim", "pi-7", "--location", "Pond 3"];
    assert_eq!(server.tirta(&words), format!("pi-7 ({SERIAL}) stands at \"Pond 3\", let in\n"));
    server.tirta(&[&words[..], &["--serial", SERIAL]].concat());
    let bodies: Vec<Value> = server.asked().iter().map(crate::support::Asked::json).collect();
    let wanted = json!({ "name": "pi-7", "location": "Pond 3" });
    assert_eq!(bodies, [wanted, json!({ "name": "pi-7", "serial": SERIAL, "location": "Pond 3" })]);
}

#[test]
fn the_audit_log_is_read_page_by_page_until_there_is_enough() {
    let entry = |id: i64| {
        json!({ "id": id, "at": id * 1000, "who": "admin", "act": "device.revoked", "device": "pi-7", "serial": SERIAL,
            "address": "10.0.0.5", "detail": { "reason": "sold" } })
    };
    let page = |ids: std::ops::Range<i64>| ids.rev().map(entry).collect::<Vec<_>>();
    let server = StandIn::new(&[
        ("GET /api/v1/audit?limit=200&device=pi-7", 200, json!({ "entries": page(101..301), "next": 101 })),
        ("GET /api/v1/audit?limit=20&device=pi-7&before=101", 200, json!({ "entries": page(81..101), "next": 81 })),
        ("GET /api/v1/audit?limit=100", 200, json!({ "entries": page(1..3), "next": null })),
    ]);
    let said = server.tirta(&["audit", "--device", "pi-7", "--limit", "220"]);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 220);
    let wanted = "1970-01-01 00:05:00  admin        device.revoked       pi-7         serial=10000000a3c40011 from=10.0.0.5 reason=sold";
    assert_eq!(lines[0], wanted);
    assert!(lines[219].starts_with("1970-01-01 00:01:21"), "{}", lines[219]);
    assert_eq!(server.tirta(&["audit"]).lines().count(), 2);
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn the_authority_is_shown_and_rotated() {
    let alone = json!({ "ca_sha256": "aa", "subject": "CN=Tirta", "expires_at": 0, "previous": null });
    let both = json!({ "ca_sha256": "bb", "subject": "CN=Tirta", "expires_at": 0,
        "previous": { "ca_sha256": "aa", "devices": 3, "expires_at": 0 } });
    let server = StandIn::new(&[
        ("GET /api/v1/authority", 200, alone),
        ("POST /api/v1/authority/rotate", 200, both.clone()),
        ("GET /api/v1/authority", 200, both),
    ]);
    assert_eq!(server.tirta(&["authority", "show"]), "aa  CN=Tirta  until 1970-01-01  signs\n");
    let said = server.tirta(&["authority", "rotate"]);
    assert!(said.starts_with("bb  ") && said.contains("aa  the one before") && said.contains("3 devices still on it"));
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn an_authority_is_retired_only_by_somebody_who_means_it() {
    let with = |devices| {
        json!({ "ca_sha256": "bb", "subject": "CN=Tirta", "expires_at": 0,
            "previous": { "ca_sha256": "aa", "devices": devices, "expires_at": 0 } })
    };
    let alone = json!({ "ca_sha256": "bb", "subject": "CN=Tirta", "expires_at": 0, "previous": null });
    let server = StandIn::new(&[
        ("GET /api/v1/authority", 200, with(3)),
        ("GET /api/v1/authority", 200, with(0)),
        ("GET /api/v1/authority", 200, with(3)),
        ("POST /api/v1/authority/retire", 204, Value::Null),
        ("GET /api/v1/authority", 200, alone.clone()),
        ("GET /api/v1/authority", 200, alone),
    ]);
    let why = server.refused(&["authority", "retire"]);
    assert!(why.contains("3 devices still on the old authority") && why.contains("--yes"), "{why}");
    let why = server.refused(&["authority", "retire"]);
    assert!(why.contains("say --yes"), "without a terminal nobody can be asked: {why}");
    assert_eq!(server.tirta(&["authority", "retire", "--yes"]), "bb  CN=Tirta  until 1970-01-01  signs\n");
    let why = server.refused(&["authority", "retire", "--yes"]);
    assert!(why.contains("there is no old authority"), "{why}");
    assert_eq!(server.asked().len(), 6);
}

/// What the server answers to the question for all registrations.
fn registrations() -> Value {
    let one = |name: &str, serial: Option<&str>, location: &str| {
        json!({ "name": name, "serial": serial, "enrolled": false, "location": location, "latitude": null,
            "longitude": null, "metrics": [], "notes": "", "created_at": 0, "changed_at": 0 })
    };
    let all = [one("pi-1", Some(SERIAL), "Pond 3"), one("pi-2", None, "Tank"), one("tank-9", None, "Pond 3")];
    json!({ "registrations": all })
}

#[test]
fn labels_are_written_as_pdf_and_as_numbered_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let answer = ("GET /api/v1/registrations", 200, registrations());
    let server = StandIn::new(&[answer.clone(), answer]);
    let address = ["--address", "https://tirta.local:8443"];
    let output = server.tirta_in(folder.path(), &[&["labels", "--out", "labels.pdf"], &address[..]].concat());
    assert_eq!(told(&output), "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("3 labels for https://tirta.local:8443 in labels.pdf"), "{said}");
    assert!(std::fs::read(folder.path().join("labels.pdf")).unwrap().starts_with(b"%PDF"));
    let words =
        ["labels", "--format", "png", "--out", "l.png", "--names", "pi-1..pi-9", "--columns", "1", "--rows", "1"];
    told(&server.tirta_in(folder.path(), &[&words[..], &address].concat()));
    for file in ["l-1.png", "l-2.png"] {
        assert!(std::fs::read(folder.path().join(file)).unwrap().starts_with(b"\x89PNG"), "{file}");
    }
    assert!(!folder.path().join("l.png").exists() && !folder.path().join("l-3.png").exists());
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn labels_that_nobody_could_use_are_not_made() {
    let answer = ("GET /api/v1/registrations", 200, registrations());
    let nothing = ("GET /api/v1/registrations", 200, json!({ "registrations": [] }));
    let server = StandIn::new(&[answer.clone(), answer, nothing]);
    let why = server.refused(&["labels", "--out", "labels.pdf"]);
    assert!(why.contains("--address: a phone can't use http://127.0.0.1"), "{why}");
    assert!(server.refused(&["labels", "--out", "labels"]).contains("--format pdf or png"));
    assert_eq!(server.signed_in(), 0);
    let words = ["labels", "--out", "labels.pdf", "--address", "https://a"];
    let why = server.refused(&[&words[..], &["--location", "Lake"]].concat());
    assert!(why.contains("nothing is registered at \"Lake\""), "{why}");
    assert!(server.refused(&[&words[..], &["--names", "pi-5"]].concat()).contains("none of them is registered"));
    assert!(server.refused(&words).contains("tirta devices import"));
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn ten_thousand_devices_are_imported_in_one_request() {
    let folder = tempfile::tempdir().unwrap();
    let rows = (1..=10_000_u64).map(|n| format!("{:016x},pi-{n},Pond {}\n", 0x1000_0000_0000_0000 + n, n % 40));
    let file = std::iter::once("serial,name,location\n".to_owned()).chain(rows).collect::<String>();
    std::fs::write(folder.path().join("fleet.csv"), &file).unwrap();
    let line = |n: u64| {
        json!({ "line": n + 1, "verdict": "created", "name": format!("pi-{n}"), "serial": "", "location": "",
            "changes": [], "problems": [] })
    };
    let plan = json!({ "imported": true, "created": 10_000, "changed": 0, "unchanged": 0, "refused": 0,
        "unknown_columns": [], "lines": (1..=10_000).map(line).collect::<Vec<_>>() });
    let server = StandIn::new(&[("POST /api/v1/registrations/import?dry_run=false", 200, plan)]);
    let said = told(&server.tirta_in(folder.path(), &["devices", "import", "fleet.csv"]));
    assert_eq!(said.lines().count(), 10_001);
    assert!(said.ends_with("10000 created, 0 changed, 0 unchanged, 0 refused\n"));
    let asked = server.asked();
    assert_eq!((asked.len(), asked[0].content_type.as_deref()), (1, Some("text/csv")));
    assert!(asked[0].body == file.as_bytes(), "the file as it is");
}

#[test]
fn accounts_are_made_changed_and_listed_and_only_a_password_is_put_out() {
    let user = |role: &str, must_change: bool, disabled_at: Value| {
        json!({ "name": "tono", "role": role, "email": null, "must_change": must_change, "created_at": 0,
            "disabled_at": disabled_at })
    };
    let made = json!({ "user": user("technician", true, Value::Null), "password": "abcde-fghjk" });
    let page = |next: Value| json!({ "users": [user("technician", true, Value::Null)], "next": next });
    let server = StandIn::new(&[
        ("POST /api/v1/users", 201, made.clone()),
        ("PATCH /api/v1/users/tono", 200, user("supervisor", false, Value::Null)),
        ("PATCH /api/v1/users/tono", 200, user("supervisor", false, json!(5))),
        ("PATCH /api/v1/users/tono", 200, user("supervisor", false, Value::Null)),
        ("POST /api/v1/users/tono/reset-password", 200, made),
        ("GET /api/v1/users?limit=200", 200, page(json!("tono"))),
        ("GET /api/v1/users?limit=200&after=tono", 200, page(Value::Null)),
    ]);
    assert_eq!(server.tirta(&["users", "add", "tono", "--role", "technician"]), "abcde-fghjk\n");
    assert!(server.tirta(&["users", "role", "tono", "supervisor"]).contains("supervisor  active"));
    assert!(server.tirta(&["users", "disable", "tono"]).contains("disabled since"));
    server.tirta(&["users", "disable", "tono", "--undo"]);
    assert_eq!(server.tirta(&["users", "reset-password", "tono"]), "abcde-fghjk\n");
    assert_eq!(server.tirta(&["users", "list"]).lines().count(), 2);
    let asked = server.asked_json();
    assert_eq!(asked[0].1, json!({ "name": "tono", "role": "technician", "email": null }));
    assert_eq!(asked[1].1, json!({ "role": "supervisor" }));
    assert_eq!((&asked[2].1, &asked[3].1), (&json!({ "disabled": true }), &json!({ "disabled": false })));
}

#[test]
fn people_are_invited_by_a_link_and_those_who_ask_are_approved_or_refused() {
    let invitation = |state: &str| {
        json!({ "id": "a1", "state": state, "role": "technician", "name": "Pak Tono", "email": null,
            "invited_by": "admin", "created_at": 0, "expires_at": 0, "used_by": null, "ended_at": null })
    };
    let mut made = invitation("open");
    made["secret"] = json!("tirta_iv_x");
    made["link"] = json!("https://tirta.local:8443/join#tirta_iv_x");
    let asks =
        json!({ "name": "sari", "display_name": "Bu Sari", "email": null, "address": "10.0.0.5", "asked_at": 0 });
    let sari = json!({ "name": "sari", "role": "auditor", "email": null, "must_change": false, "created_at": 0,
        "disabled_at": null });
    let server = StandIn::new(&[
        ("POST /api/v1/invitations", 201, made),
        ("GET /api/v1/invitations", 200, json!({ "invitations": [invitation("withdrawn")] })),
        ("DELETE /api/v1/invitations/a1", 204, Value::Null),
        ("GET /api/v1/sign-ups", 200, json!({ "sign_ups": [asks] })),
        ("POST /api/v1/sign-ups/sari/approve", 200, sari.clone()),
        ("POST /api/v1/sign-ups/sari/approve", 200, sari),
        ("POST /api/v1/sign-ups/budi/refuse", 204, Value::Null),
    ]);
    let invited = server.tirta(&["users", "invite", "--role", "technician", "--name", "Pak Tono", "--valid", "12h"]);
    assert_eq!(invited, "https://tirta.local:8443/join#tirta_iv_x\n");
    assert!(server.tirta(&["users", "invitations"]).contains("withdrawn"));
    assert_eq!(server.tirta(&["users", "withdraw", "a1"]), "");
    assert!(server.tirta(&["users", "pending"]).contains("Bu Sari"));
    assert!(server.tirta(&["users", "approve", "sari", "--role", "auditor"]).contains("auditor     active"));
    server.tirta(&["users", "approve", "sari", "--role", "auditor", "--without-email"]);
    assert_eq!(server.tirta(&["users", "refuse", "budi"]), "");
    let asked = server.asked_json();
    assert_eq!(asked[0].1, json!({ "role": "technician", "name": "Pak Tono", "valid_s": 43_200 }));
    assert_eq!(asked[4].1, json!({ "role": "auditor" }));
    assert_eq!(asked[5].1, json!({ "role": "auditor", "email": null }));
}

#[test]
fn what_a_role_may_not_do_is_said_in_the_servers_words() {
    let detail = "this needs the permission manage_users (roles: admin); yours is technician";
    let server = StandIn::new(&[("GET /api/v1/users?limit=200", 403, problem("forbidden", detail))]);
    let said = server.refused(&["users", "list"]);
    assert!(said.contains(detail) && said.contains("403"), "{said}");
}

#[test]
fn an_access_token_that_expires_between_two_questions_is_changed_and_nothing_is_asked_twice() {
    let user =
        json!({ "name": "tono", "role": "technician", "email": null, "must_change": false, "disabled_at": null });
    let server = StandIn::new(&[
        ("GET /api/v1/users?limit=200", 200, json!({ "users": [user], "next": "tono" })),
        (EXPIRES, 0, Value::Null),
        ("GET /api/v1/users?limit=200&after=tono", 200, json!({ "users": [], "next": null })),
    ]);
    assert!(server.tirta(&["users", "list"]).contains("technician"));
    assert_eq!((server.asked().len(), server.signed_in()), (2, 1));
}

#[test]
fn a_code_is_asked_for_only_where_the_account_needs_one() {
    let answers = [("DELETE /api/v1/users/tono/second-factor", 204, Value::Null)];
    let server = StandIn::with_code(&answers, "123456");
    assert_eq!(server.tirta(&["users", "remove-second-factor", "tono"]), "");
    assert_eq!((server.asked().len(), server.signed_in()), (1, 1));
}

#[test]
fn a_key_is_made_with_its_scopes_and_only_its_secret_is_put_out() {
    let key = json!({ "id": "k1", "key": "tirta_key_s3cret", "name": "scada", "scopes": ["read"], "state": "good" });
    let server = StandIn::new(&[
        ("POST /api/v1/keys", 201, key.clone()),
        ("GET /api/v1/keys", 200, json!({ "keys": [key] })),
        ("DELETE /api/v1/keys/k1", 204, Value::Null),
    ]);
    let words = ["keys", "add", "scada", "--scopes", "read,write_readings", "--devices", "well-3", "--valid", "12h"];
    assert_eq!(server.tirta(&words), "tirta_key_s3cret\n");
    let wanted =
        json!({ "name": "scada", "scopes": ["read", "write_readings"], "devices": ["well-3"], "valid_s": 43_200 });
    assert!(server.tirta(&["keys", "list"]).starts_with("k1  good     scada"));
    server.tirta(&["keys", "revoke", "k1"]);
    let asked = server.asked();
    assert_eq!((asked[0].json(), asked.len()), (wanted, 3));
}
