//! What an admin sees of the server itself: how it is, its back-ups, who may what.

use crate::fleet::until;
use crate::site::{Answer, Device, Site, reading, said};
use rusqlite::Connection;
use serde_json::{Value, json};
use server::access::{Need, Permission, Role, TABLE};
use shared::Metric;

/// The words of what is wrong.
fn troubles(system: &Value) -> Vec<&str> {
    system["findings"].as_array().unwrap().iter().map(|finding| finding["trouble"].as_str().unwrap()).collect()
}

/// Makes a back-up and waits for it; returns the list.
async fn backed_up(site: &Site, cookie: &str) -> Value {
    let before = site.get(cookie, "/api/v1/backups").await.json()["backups"].as_array().unwrap().len();
    let begun = site.send("POST", cookie, "/api/v1/backups", &json!({})).await;
    assert_eq!(begun.status, 202, "{begun:?}");
    let list = async || site.get(cookie, "/api/v1/backups").await.json();
    until("there is a back-up", async || {
        let list = list().await;
        list["running"].is_null() && list["backups"].as_array().unwrap().len() > before
    })
    .await;
    list().await
}

async fn download(site: &Site, cookie: &str, name: &str) -> Answer {
    site.get(cookie, &format!("/api/v1/backups/{name}")).await
}

/// The newest act about back-ups in the audit log.
async fn last_act(site: &Site, cookie: &str) -> (String, String, Value) {
    let path = "/api/v1/audit?limit=1&act=backup.made,backup.failed,backup.taken";
    let entry = site.get(cookie, path).await.json()["entries"][0].clone();
    (entry["act"].as_str().unwrap().to_owned(), entry["who"].as_str().unwrap().to_owned(), entry["detail"].clone())
}

#[tokio::test]
async fn the_system_page_tells_of_the_server_what_it_knows_and_everybody_may_read_it() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let mut device = Device::join(&site, &cookie).await;
    device.send(vec![reading(1, site.now(), Metric::Ph, Ok(7.0))]).await;
    let _watch = site.watch("", &[("cookie", &cookie)]).await.unwrap();
    let technician = site.person(&cookie, "tono", "technician").await;
    let system = site.get(&technician, "/api/v1/system").await.json();
    assert_eq!(
        (&system["database"]["engine"], &system["broker"]),
        (&json!("sqlite"), &json!({"kind": "embedded", "connected": true}))
    );
    assert_eq!((&system["watchers"], &system["time_zone"]), (&json!(1), &json!("Asia/Jakarta")));
    assert!(system["database"]["bytes"].as_i64().unwrap() > 50_000, "{system}");
    assert!(system["started_at"].as_i64().unwrap() <= system["now"].as_i64().unwrap());
    assert!(system["certificates"]["server_until"].as_i64() > system["now"].as_i64());
    let devices = system["devices"].as_object().unwrap();
    assert_eq!(devices.values().filter_map(Value::as_i64).sum::<i64>(), 1, "{system}");
    assert_eq!(system["backup"]["possible"], true);
    let found = troubles(&system);
    assert!(!found.contains(&"broker_lost") && !found.contains(&"backup_missing"), "{found:?}");

    site.let_pass(3 * 86_400_000);
    let cookie = site.sign_in().await;
    let late = site.get(&cookie, "/api/v1/system").await.json();
    assert!(troubles(&late).contains(&"backup_missing"), "nobody made one for three days: {late}");
    backed_up(&site, &cookie).await;
    let late = site.get(&cookie, "/api/v1/system").await.json();
    assert!(!troubles(&late).contains(&"backup_missing"), "{late}");
    site.stop().await;
}

#[tokio::test]
async fn a_back_up_is_a_database_that_can_be_started_from_and_holds_no_key_of_the_authority() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    site.person(&cookie, "rini", "auditor").await;
    let list = backed_up(&site, &cookie).await;
    let made = list["backups"][0].clone();
    let name = made["name"].as_str().unwrap();
    let (act, who, detail) = last_act(&site, &cookie).await;
    assert_eq!((act.as_str(), who.as_str(), &detail["name"]), ("backup.made", "admin", &made["name"]));
    let system = site.get(&cookie, "/api/v1/system").await.json();
    assert_eq!((&system["backup"]["last"], &system["backup"]["failed"]), (&made, &Value::Null));

    let file = download(&site, &cookie, name).await;
    assert_eq!((file.status, file.header("cache-control")), (200, "no-store"));
    assert_eq!(file.header("content-disposition"), format!("attachment; filename=\"{name}\""));
    assert_eq!(last_act(&site, &cookie).await.0, "backup.taken");
    let bytes = unchunked(&file);
    assert_eq!(bytes.len() as u64, made["bytes"].as_u64().unwrap());
    let key = std::fs::read_to_string(site.dir.path().join("data/ca.key")).unwrap();
    let secret = key.lines().nth(1).unwrap().as_bytes();
    assert!(!bytes.windows(secret.len()).any(|part| part == secret), "the authority's key is no part of it");

    let restored = tempfile::tempdir().unwrap();
    let path = restored.path().join("tirta.db");
    std::fs::write(&path, &bytes).unwrap();
    let accounts: i64 = tokio::task::spawn_blocking(move || {
        Connection::open(path).unwrap().query_row("SELECT COUNT(*) FROM account", [], |row| row.get(0)).unwrap()
    })
    .await
    .unwrap();
    assert_eq!(accounts, 2);
    site.stop().await;
}

/// The body of an answer that came in pieces.
fn unchunked(answer: &Answer) -> Vec<u8> {
    if answer.header("transfer-encoding") != "chunked" {
        return answer.body.clone();
    }
    let (mut rest, mut whole) = (&answer.body[..], vec![]);
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n").unwrap();
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return whole;
        }
        whole.extend_from_slice(&rest[end + 2..end + 2 + length]);
        rest = &rest[end + 4 + length..];
    }
}

#[tokio::test]
async fn only_an_admin_in_person_takes_a_back_up_away_and_no_name_leads_elsewhere() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let name = backed_up(&site, &cookie).await["backups"][0]["name"].as_str().unwrap().to_owned();
    let auditor = site.person(&cookie, "rini", "auditor").await;
    let supervisor = site.person(&cookie, "sari", "supervisor").await;
    assert_eq!(site.get(&auditor, "/api/v1/backups").await.status, 200, "an auditor sees that they are there");
    assert_eq!(said(&download(&site, &auditor, &name).await), (403, "forbidden".to_owned()));
    assert_eq!(said(&site.get(&supervisor, "/api/v1/backups").await), (403, "forbidden".to_owned()));
    let refused = site.send("POST", &supervisor, "/api/v1/backups", &json!({})).await;
    assert_eq!(said(&refused), (403, "forbidden".to_owned()));
    let scopes = json!({"name": "cron", "scopes": ["read", "manage_server"]});
    assert_eq!(site.send("POST", &cookie, "/api/v1/keys", &scopes).await.field(), "scopes[1]");
    for other in ["..%2Fca.key", "..%2Ftirta.db", "tirta.db", "tirta-20251121-020000-000.db"] {
        assert_eq!(said(&download(&site, &cookie, other).await), (404, "unknown_backup".to_owned()), "{other}");
    }
    assert_eq!(last_act(&site, &cookie).await.0, "backup.made", "nothing was taken away");
    site.stop().await;
}

#[tokio::test]
async fn a_back_up_that_fails_is_loud_until_one_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("backups");
    std::fs::write(&place, "a file where the folder should be").unwrap();
    let site = Site::start_with(&format!("[backups]\nfolder = {place:?}\n")).await;
    let cookie = site.sign_in().await;
    let begun = site.send("POST", &cookie, "/api/v1/backups", &json!({})).await;
    assert_eq!(begun.status, 202, "{begun:?}");
    until("the failure is written down", async || last_failure(&site, &cookie).await.is_some()).await;
    let system = site.get(&cookie, "/api/v1/system").await.json();
    assert!(troubles(&system).contains(&"backup_failed"), "the folder that can't be read hides nothing: {system}");
    std::fs::remove_file(&place).unwrap();
    let system = site.get(&cookie, "/api/v1/system").await.json();
    let loud = json!({"level": "critical", "about": "backup", "trouble": "backup_failed"});
    assert!(system["findings"].as_array().unwrap().contains(&loud), "{system}");
    assert!(system["backup"]["failed"]["why"].as_str().unwrap().contains("backups"), "{system}");
    backed_up(&site, &cookie).await;
    let system = site.get(&cookie, "/api/v1/system").await.json();
    assert!(!troubles(&system).contains(&"backup_failed"), "{system}");
    site.stop().await;
}

async fn last_failure(site: &Site, cookie: &str) -> Option<Value> {
    let entries = site.get(cookie, "/api/v1/audit?limit=1&act=backup.failed").await.json()["entries"].clone();
    entries.as_array().unwrap().first().cloned()
}

#[tokio::test]
async fn the_roles_are_shown_as_every_request_is_held_against_them() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let technician = site.person(&cookie, "tono", "technician").await;
    let shown = site.get(&technician, "/api/v1/roles").await.json();
    assert_eq!(shown["roles"], json!(Role::ALL));
    let permissions = shown["permissions"].as_array().unwrap();
    assert_eq!(permissions.len(), Permission::ALL.len());
    for (shown, permission) in permissions.iter().zip(Permission::ALL) {
        let roles: Vec<&str> = shown["roles"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(roles, permission.roles(), "{permission:?}");
        let needs = TABLE.iter().filter(|(.., need)| *need == Need::May(permission)).count();
        assert_eq!(shown["operations"].as_array().unwrap().len(), needs, "{permission:?}");
        assert!(needs > 0, "{permission:?} is for nothing");
    }
    let session = site.get(&technician, "/api/v1/session").await.json();
    let own = permissions.iter().filter(|each| each["roles"].as_array().unwrap().contains(&json!("technician")));
    assert_eq!(
        own.map(|each| each["permission"].clone()).collect::<Vec<_>>(),
        *session["permissions"].as_array().unwrap()
    );
    site.stop().await;
}
