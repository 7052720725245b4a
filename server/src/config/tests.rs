//! How a configuration is read: what is taken, and what is refused in which words.

use super::*;

const GOOD: &str = r#"
    data_dir = "/var/lib/tirta-server"
    [http]
    https = "0.0.0.0:8443"
    [broker]
    kind = "embedded"
    listen = "0.0.0.0:8883"
"#;

fn why(text: &str) -> String {
    Config::parse(text).unwrap_err().to_string()
}

#[test]
fn the_shortest_configuration_has_a_database_in_its_data_folder_and_no_plain_http() {
    let config = Config::parse(GOOD).unwrap();
    assert_eq!(config.database_url, "sqlite:/var/lib/tirta-server/tirta.db");
    assert_eq!(config.plain, None);
    assert_eq!(config.broker, BrokerConfig::Embedded { listen: "0.0.0.0:8883".parse().unwrap() });
}

#[test]
fn the_example_loads() {
    let config = Config::parse(include_str!("../../server.example.toml")).unwrap();
    assert_eq!(config.plain, Some("127.0.0.1:8080".parse().unwrap()));
    assert_eq!(config.public_hosts, ["tirta.local"]);
    assert!(config.announce);
}

#[test]
fn certificates_live_a_month_unless_something_else_is_said_within_bounds() {
    assert_eq!(Config::parse(GOOD).unwrap().lifetimes.life, Duration::from_secs(30 * 86_400));
    let with = |line: &str| Config::parse(&format!("{GOOD}\n[certificates]\n{line}"));
    assert_eq!(with("life_s = 60").unwrap().lifetimes.life, Duration::from_secs(60));
    assert_eq!(with("grace_s = 0").unwrap().lifetimes.grace, Duration::ZERO);
    assert!(with("life_s = 5").unwrap_err().to_string().contains("certificates.life_s: 5 is not between 30"));
}

#[test]
fn nobody_may_ask_for_an_account_unless_the_configuration_says_so() {
    assert_eq!(Config::parse(GOOD).unwrap().registration, Registration::Closed);
    let with = |word: &str| Config::parse(&format!("{GOOD}\n[accounts]\nregistration = \"{word}\""));
    assert_eq!(with("approval").unwrap().registration, Registration::Approval);
    let message = with("open").unwrap_err().to_string();
    assert!(message.contains("registration") && message.contains("approval"), "{message}");
}

#[test]
fn an_unknown_missing_or_misspelt_key_is_named() {
    for (from, to, key) in [
        ("data_dir", "data_dri", "data_dri"),
        ("[http]", "[http]\nhttp2 = true", "http2"),
        ("https = \"0.0.0.0:8443\"", "", "https"),
        ("listen", "lisen", "lisen"),
        ("\"0.0.0.0:8443\"", "\"everywhere\"", "https"),
        ("\"embedded\"", "\"built-in\"", "built-in"),
    ] {
        let message = why(&GOOD.replace(from, to));
        assert!(message.contains(key), "{key}: {message}");
    }
}

#[test]
fn plain_http_beyond_the_loopback_is_refused() {
    for plain in ["0.0.0.0:8080", "192.168.1.5:8080", "[::]:8080"] {
        let text = GOOD.replace("[http]", &format!("[http]\nplain = \"{plain}\""));
        assert!(why(&text).contains("http.plain"), "{plain}");
    }
    for plain in ["127.0.0.1:8080", "[::1]:8080"] {
        let text = GOOD.replace("[http]", &format!("[http]\nplain = \"{plain}\""));
        assert!(Config::parse(&text).is_ok(), "{plain}");
    }
}

#[test]
fn keys_of_the_other_kind_of_broker_are_refused_by_name() {
    let external = GOOD.replace("embedded", "external");
    assert!(why(&external).contains("broker.listen"));
    let external = external.replace("listen = \"0.0.0.0:8883\"", "host = \"mqtt.example\"");
    let host = "mqtt.example".to_owned();
    let expected = BrokerConfig::External { host, port: 8883, services_port: None };
    assert_eq!(Config::parse(&external).unwrap().broker, expected);
    assert!(why(&external.replace("external", "embedded")).contains("broker.listen"));
    assert!(why(&format!("{GOOD}\nport = 1883")).contains("broker.port"));
}

#[test]
fn an_error_is_one_line_and_shows_no_password() {
    let text = format!("database_url = [\"postgres://tirta:secret@db/tirta\"]\n{GOOD}");
    let message = why(&text);
    assert!(message.starts_with("configuration: line 1: database_url: "), "{message}");
    assert!(!message.contains('\n') && !message.contains("secret"), "{message}");
    let config =
        Config::parse(&text.replace(['[', ']'], "").replace("http\n", "[http]\n").replace("broker\n", "[broker]\n"));
    assert_eq!(config.unwrap().database(), "postgres://db/tirta");
}

#[test]
fn a_data_folder_with_odd_letters_is_still_one_path() {
    let config = Config::parse(&GOOD.replace("tirta-server", "a?b#c%d")).unwrap();
    assert_eq!(config.database_url, "sqlite:/var/lib/a%3Fb%23c%25d/tirta.db");
}
