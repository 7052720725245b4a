//! Reports over HTTP: what they say of a device that has measured, as JSON and as a file, and how they refuse.

use crate::site::{Answer, Device, Site, reading};
use serde_json::{Value, json};
use shared::{Fault, Metric};

const MINUTE: i64 = 60_000;
const DAY: i64 = 1440 * MINUTE;

/// A device that has measured each minute for an hour, a month in service.
async fn measured(site: &Site, cookie: &str) -> (Device, i64) {
    let mut device = Device::join(site, cookie).await;
    site.with_database(|database| {
        database.execute("UPDATE device SET enrolled_at = enrolled_at - 2592000000", []).unwrap();
        let place = "INSERT INTO registration (name, serial, location, metrics, notes, created_at, changed_at)
            SELECT name, serial, '=HYPERLINK(1)', '', '', 0, 0 FROM device WHERE true
            ON CONFLICT (name) DO UPDATE SET location = '=HYPERLINK(1)'";
        database.execute(place, []).unwrap();
    })
    .await;
    let from = site.now() - 2 * 60 * MINUTE;
    let value = |n: i64| if n == 30 { Err(Fault::NoAnswer) } else { Ok(7.0 + n as f64 / 100.0) };
    let readings = (0..60).map(|n: i64| reading(n.cast_unsigned() + 1, from + n * MINUTE, Metric::Ph, value(n)));
    device.send(readings.collect()).await;
    (device, from)
}

fn lines(answer: &Answer) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&answer.body[..]);
    reader.records().map(|line| line.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[tokio::test]
async fn the_statistics_of_a_device_say_what_it_measured_and_how_much_of_the_time() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let (device, from) = measured(&site, &cookie).await;
    let to = from + 60 * MINUTE;
    let query = format!("per=whole&metric=ph,tds&device={}&from={from}&to={to}", device.name);
    let report = site.get(&cookie, &format!("/api/v1/reports/statistics?{query}")).await.json();
    assert_eq!(
        (&report["time_zone"], &report["from"], &report["to"]),
        (&json!("Asia/Jakarta"), &json!(from), &json!(to))
    );
    let [row] = &report["rows"].as_array().unwrap()[..] else { panic!("{report}") };
    for (field, wanted) in [
        ("device", json!(device.name)),
        ("unit", json!("pH")),
        ("readings", json!(60)),
        ("good", json!(59)),
        ("faults", json!(1)),
        ("simulated", json!(60)),
        ("expected", json!(60)),
        ("min", json!(7.0)),
        ("min_at", json!(from)),
        ("max", json!(7.59)),
        ("max_at", json!(from + 59 * MINUTE)),
        ("median", json!(7.29)),
        ("percentile_step", json!(0.001)),
    ] {
        assert_eq!(row[field], wanted, "{field}: {row}");
    }
    let about = |field: &str, wanted: f64| (row[field].as_f64().unwrap() - wanted).abs() < 1e-6;
    let mean = (0..60).filter(|n| *n != 30).map(|n| 7.0 + f64::from(n) / 100.0).sum::<f64>() / 59.0;
    assert!(about("mean", mean) && about("coverage_percent", 100.0 * 59.0 / 60.0), "{row}");

    let file = site.get(&cookie, &format!("/api/v1/reports/statistics.csv?{query}")).await;
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"tirta-statistics.csv\"");
    let lines = lines(&file);
    assert_eq!((lines.len(), lines[0].len(), lines[1].len()), (2, 25, 25));
    assert_eq!((lines[1][1].as_str(), lines[1][7].as_str()), ("'=HYPERLINK(1)", "59"), "no formula");
    assert!(lines[1][4].ends_with("+07:00"), "{:?}", lines[1]);

    let days =
        site.get(&cookie, &format!("/api/v1/reports/statistics?per=day&from={}&to={to}", from - 3 * DAY)).await.json();
    let days = days["rows"].as_array().unwrap();
    let sum = |field: &str| days.iter().map(|row| row[field].as_i64().unwrap_or(0)).sum::<i64>();
    assert!(days.len() >= 4 && sum("readings") == 60, "{days:?}");
    let empty = days.iter().find(|row| row["readings"] == 0).unwrap();
    assert_eq!((&empty["mean"], &empty["coverage_percent"]), (&Value::Null, &json!(0.0)), "it was in service");
    let before = site.get(&cookie, &format!("/api/v1/reports/statistics?from=0&to={}", from - 40 * DAY)).await;
    assert_eq!((before.status, before.field()), (400, "from".to_owned()), "it is too long");
    let query = format!("from={}&to={}", from - 60 * DAY, from - 40 * DAY);
    let before = site.get(&cookie, &format!("/api/v1/reports/statistics?{query}")).await.json();
    assert_eq!(before["rows"], json!([]), "it was not in service yet");
    site.stop().await;
}

#[tokio::test]
async fn limits_that_were_exceeded_are_told_with_their_versions_and_those_that_were_kept_too() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let mut device = Device::join(&site, &cookie).await;
    let set = json!({"targets": [{"scope": "device", "target": device.name}], "metric": "ph",
        "threshold": {"low": {"critical": 5.0}, "high": {"warning": 8.0, "critical": 9.0}}});
    assert_eq!(site.send("PUT", &cookie, "/api/v1/thresholds", &set).await.status, 200);
    let from = site.now();
    let values = [7.0, 8.5, 9.5, 9.25, 7.0];
    let readings =
        (0_u64..).zip(values).map(|(n, value)| reading(n + 1, from + n.cast_signed() * 1000, Metric::Ph, Ok(value)));
    device.send(readings.collect()).await;
    site.let_pass(10_000);
    let path = format!("/api/v1/reports/exceedances?device={}&from={}", device.name, from - 1000);
    let report = site.get(&cookie, &path).await.json();
    let [low, high] = &report["rows"].as_array().unwrap()[..] else { panic!("{report}") };
    assert_eq!((&low["side"], &low["episodes"], &low["worst"]), (&json!("low"), &json!(0), &Value::Null));
    assert_eq!((&low["limits"][0]["critical"], &low["limits"][0]["version"]), (&json!(5.0), &json!(1)));
    for (field, wanted) in [
        ("side", json!("high")),
        ("episodes", json!(1)),
        ("critical_episodes", json!(1)),
        ("beyond_ms", json!(3000)),
        ("critical_ms", json!(2000)),
        ("longest_ms", json!(3000)),
        ("longest_from", json!(from + 1000)),
        ("ongoing", json!(false)),
        ("simulated", json!(1)),
        ("worst", json!(9.5)),
        ("worst_at", json!(from + 2000)),
    ] {
        assert_eq!(high[field], wanted, "{field}: {high}");
    }
    let file = site.get(&cookie, &path.replace("exceedances", "exceedances.csv")).await;
    let lines = lines(&file);
    assert_eq!(lines[2][5], format!("warning 8, critical 9 (device {} version 1)", device.name));
    site.stop().await;
}

#[tokio::test]
async fn the_availability_of_a_whole_time_is_one_row_for_each_device_and_a_file() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let (device, from) = measured(&site, &cookie).await;
    let query = format!("per=whole&device={},pi-9&from={}&to={from}", device.name, from - 3 * DAY);
    let rows = site.get(&cookie, &format!("/api/v1/availability?{query}")).await.json()["rows"].clone();
    let [row] = &rows.as_array().unwrap()[..] else { panic!("{rows}") };
    assert_eq!((&row["availability_percent"], &row["from"]), (&json!(100.0), &json!(from - 3 * DAY)));
    let lines = lines(&site.get(&cookie, &format!("/api/v1/availability.csv?{query}")).await);
    assert_eq!((lines.len(), lines[1][1].as_str(), lines[1][4].as_str()), (2, "'=HYPERLINK(1)", "100"));
    site.stop().await;
}

#[tokio::test]
async fn a_report_that_makes_no_sense_is_refused_by_its_field_and_an_auditor_reads_one() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    measured(&site, &cookie).await;
    for report in ["statistics", "statistics.csv", "exceedances", "exceedances.csv"] {
        for (query, field) in [
            ("device=pi-99", "device"),
            ("device=pi-1,", "device"),
            ("metric=humidity", "metric"),
            ("metric=ph,", "metric"),
            ("from=5&to=5", "from"),
            ("from=yesterday", "from"),
            ("from=-9223372036854775808", "from"),
            ("to=1763690400000000", "to"),
            ("from=0", "from"),
            ("colour=red", "colour"),
        ] {
            let answer = site.get(&cookie, &format!("/api/v1/reports/{report}?{query}")).await;
            let found = (answer.status, answer.code(), answer.field());
            assert_eq!(found, (400, "invalid".to_owned(), field.to_owned()), "{report}?{query}");
        }
    }
    let answer = site.get(&cookie, "/api/v1/reports/statistics?per=year").await;
    assert_eq!((answer.status, answer.field()), (400, "per".to_owned()));
    let ahead = site.get(&cookie, &format!("/api/v1/reports/statistics?from={}", site.now() + DAY)).await;
    assert_eq!(ahead.status, 400);
    let ahead = format!("/api/v1/reports/statistics?from={}&to={}", site.now() + DAY, site.now() + 2 * DAY);
    assert_eq!(site.get(&cookie, &ahead).await.json()["rows"], json!([]), "nothing is known of what is to come");
    let auditor = site.person(&cookie, "ayu", "auditor").await;
    for report in ["statistics", "exceedances", "statistics.csv", "exceedances.csv"] {
        assert_eq!(site.get(&auditor, &format!("/api/v1/reports/{report}")).await.status, 200, "{report}");
    }
    site.stop().await;
}
