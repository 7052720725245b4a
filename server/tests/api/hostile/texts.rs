//! Texts that are meant for whoever reads them next: a database, a header, a spreadsheet.

use super::{operations, site};
use crate::site::Site;
use serde_json::{Value, json};

const JSON: &str = "content-type: application/json";

/// What would do something in a database that took it for its own language.
const FOR_DATABASES: [&str; 6] = [
    "' OR '1'='1",
    "'; DROP TABLE account; --",
    "x'); DELETE FROM audit; --",
    "\" OR 1=1 --",
    "1 UNION SELECT name, password FROM account",
    "%' OR name LIKE '%",
];

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// The example with a text for each of its strings; what is one of some words is refused then, which is as good.
fn filled(value: &Value, text: &str) -> Value {
    match value {
        Value::String(_) => json!(text),
        Value::Array(all) => all.iter().map(|one| filled(one, text)).collect(),
        Value::Object(fields) => fields.iter().map(|(name, one)| (name.clone(), filled(one, text))).collect(),
        other => other.clone(),
    }
}

async fn people_and_tables(site: &Site, cookie: &str) -> (Value, usize) {
    let users = site.ask("GET", "/api/v1/users", &[cookie], "").await;
    assert_eq!(users.status, 200, "{users:?}");
    let log = site.ask("GET", "/api/v1/audit?limit=500", &[cookie], "").await;
    (users.json(), log.json()["entries"].as_array().unwrap().len())
}

#[tokio::test]
async fn no_text_in_any_parameter_is_taken_for_sql() {
    let (site, cookie) = site().await;
    let (users, written) = people_and_tables(&site, &cookie).await;
    let mut tried = 0;
    for operation in operations() {
        for text in FOR_DATABASES {
            let mut asked = vec![];
            // In the place of each name in the path, and as each parameter.
            for parameter in operation.said["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap();
                if parameter["in"] == "path" {
                    let example = &parameter["example"];
                    let example = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
                    asked.push((operation.path.replace(&example, &encoded(text)), None));
                } else {
                    asked.push((format!("{}?{name}={}", operation.path, encoded(text)), None));
                }
            }
            if let Some(example) = operation.example() {
                let body = if example.is_string() { text.to_owned() } else { filled(example, text).to_string() };
                asked.push((operation.path.clone(), Some(body)));
            }
            for (path, body) in asked {
                let kind = if operation.id == "importRegistrations" { "content-type: text/csv" } else { JSON };
                let headers = if body.is_some() { vec![&*cookie, kind] } else { vec![&*cookie] };
                let answer = site.ask(&operation.method, &path, &headers, &body.unwrap_or_default()).await;
                assert!(answer.status < 500, "{} {path}: {answer:?}", operation.id);
                tried += 1;
            }
        }
    }
    assert!(tried > 400, "{tried}");
    let (users_now, written_now) = people_and_tables(&site, &cookie).await;
    assert_eq!(users_now, users, "nobody came, went or was changed");
    assert!(written_now >= written, "nothing was taken from the audit log");
    // A filter that is no name finds nothing, rather than everything.
    site.ask("POST", "/api/v1/registrations/range", &[&cookie, JSON], "{\"from\":1,\"to\":3,\"location\":\"x\"}").await;
    for text in FOR_DATABASES {
        let path = format!("/api/v1/audit?device={}", encoded(text));
        assert_eq!(site.ask("GET", &path, &[&cookie], "").await.json()["entries"], json!([]), "{text}");
        let path = format!("/api/v1/alerts?q={}", encoded(text));
        assert_eq!(site.ask("GET", &path, &[&cookie], "").await.json()["alerts"], json!([]), "{text}");
    }
    site.stop().await;
}

#[tokio::test]
async fn no_text_becomes_a_header_of_the_answer() {
    let (site, cookie) = site().await;
    let splits =
        ["x\r\nset-cookie: stolen=1", "x\nlocation: https://evil.example", "\r\n\r\n<script>alert(1)</script>"];
    for operation in operations().iter().filter(|operation| operation.method == "GET") {
        for text in splits {
            let mut paths = vec![format!("{}?x={}", operation.path, encoded(text))];
            for parameter in operation.said["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap();
                paths.push(format!("{}?{name}={}", operation.path, encoded(text)));
                paths.push(operation.path.replace("pi-7", &encoded(text)));
            }
            for path in paths {
                let answer = site.ask("GET", &path, &[&cookie], "").await;
                let set = ["set-cookie", "location"].map(|name| answer.header(name).to_owned());
                assert_eq!(set, ["", ""], "{path}");
                assert!(!answer.header("content-type").starts_with("text/html"), "{path}");
                assert!(answer.status < 500, "{path}: {answer:?}");
            }
        }
    }
    // Signing in with such a name sets no cookie either.
    let body = json!({"user": "admin\r\nset-cookie: a=b", "password": "x"}).to_string();
    assert_eq!(site.ask("POST", "/api/v1/session", &[JSON], &body).await.header("set-cookie"), "");
    for path in ["/api/v1/alerts.csv", "/api/v1/registrations/export"] {
        let name = site.ask("GET", path, &[&cookie], "").await.header("content-disposition").to_owned();
        assert!(name.starts_with("attachment; filename=\"tirta-"), "{path}: {name}");
    }
    site.stop().await;
}

#[tokio::test]
async fn no_cell_of_an_exported_file_is_a_formula() {
    let (site, cookie) = site().await;
    let formulas = [
        "=1+1",
        "+1",
        "-1",
        "@SUM(1)",
        "=cmd|' /C calc'!A0",
        "=HYPERLINK(\"https://evil.example\")",
        "\u{ff1d}1",
        "\u{ff20}x",
    ];
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut file = String::from("name,location,notes\n");
    for (n, formula) in formulas.iter().enumerate() {
        file += &format!("pi-{},{},{}\n", n + 1, quoted(formula), quoted(formula));
    }
    let imported = site.ask("POST", "/api/v1/registrations/import", &[&cookie, "content-type: text/csv"], &file).await;
    assert_eq!(imported.status, 200, "{imported:?}");
    let made = site.ask("POST", "/api/v1/intake-tokens", &[&cookie, JSON], "{\"name\":\"scada\"}").await.json();
    let token = format!("authorization: Bearer {}", made["token"].as_str().unwrap());
    for formula in formulas {
        let report = json!({"key": formula, "state": "firing", "title": formula}).to_string();
        let taken = site.ask("POST", "/api/v1/webhooks/alerts", &[JSON, &token], &report).await;
        assert_eq!(taken.status, 200, "{taken:?}");
    }
    for path in ["/api/v1/registrations/export", "/api/v1/alerts.csv"] {
        let file = site.ask("GET", path, &[&cookie], "").await;
        let mut cells = 0;
        for record in csv::ReaderBuilder::new().has_headers(false).from_reader(&*file.body).records() {
            for cell in &record.unwrap() {
                let is_number = cell.parse::<f64>().is_ok();
                let risky = ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];
                assert!(is_number || !cell.starts_with(risky), "{path}: {cell:?}");
                cells += usize::from(cell.starts_with('\''));
            }
        }
        assert!(path.contains("alerts") || cells >= formulas.len(), "{path}: they are in it: {cells}");
    }
    site.stop().await;
}
