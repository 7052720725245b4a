//! Readings of many devices: as a list, counted, and as files that are whole or seen to be cut off.

use crate::site::{Answer, Device, Site, reading};
use serde_json::{Value, json};
use server::store::Incoming;
use shared::{BufferId, Fault, Flag, Flags, Metric, Reading, UtcMillis, message::Received};
use std::io::{Cursor, Read};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The bytes of a body, and whether its end was sent.
fn body(answer: &Answer) -> (Vec<u8>, bool) {
    assert_eq!(answer.header("transfer-encoding"), "chunked");
    unchunked(&answer.body)
}

fn unchunked(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut whole = vec![];
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return (whole, true);
        }
        let Some(chunk) = rest.get(end + 2..end + 2 + length) else { break };
        whole.extend_from_slice(chunk);
        rest = rest.get(end + 4 + length..).unwrap_or_default();
    }
    (whole, false)
}

/// A site with devices that have sent so many readings each, a second apart, some of them faults; and since when.
async fn filled(count: u32, readings: u64) -> (Site, String, i64) {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let begin = site.now() - 4_000_000_000;
    for n in 1..=count {
        let card = site.enrol(&cookie).await;
        let one = |seq: u64| {
            let metric = if seq.is_multiple_of(2) { Metric::Ph } else { Metric::Temperature };
            let value =
                if seq.is_multiple_of(100) { Err(Fault::NoAnswer) } else { Ok(seq as f64 / 8.0 - f64::from(n)) };
            let taken = reading(seq, begin + seq as i64 * 1000, metric, value);
            let flags = if seq % 100 == 1 { taken.flags.with(Flag::Stuck) } else { Flags::NONE };
            Reading { flags, ..taken }
        };
        for first in (1..=readings).step_by(500) {
            let readings: Vec<_> = (first..=readings.min(first + 499)).map(one).collect();
            let last = readings.last().unwrap().seq;
            let buffer = BufferId::from_random(u64::from(n));
            let received = Received { buffer, first, last, readings, refused: vec![] };
            let incoming = Incoming { device: card.name.parse().unwrap(), received, at: UtcMillis(site.now()) };
            assert!(site.app.store.append(&[incoming]).await.unwrap()[0].is_some());
        }
    }
    (site, cookie, begin)
}

fn rows(file: &[u8]) -> Vec<csv::StringRecord> {
    let text = std::str::from_utf8(file).unwrap().strip_prefix('\u{feff}').expect("what says that it is UTF-8");
    csv::Reader::from_reader(text.as_bytes()).records().map(Result::unwrap).collect()
}

#[tokio::test]
async fn a_table_of_many_readings_is_complete_in_order_and_what_was_sent() {
    let (site, cookie, begin) = filled(2, 12_000).await;
    let place = "name,location\npi-1,\"=Kolam, utara\"\n";
    let headers = [&format!("cookie: {cookie}"), "content-type: text/csv"];
    assert_eq!(site.ask("POST", "/api/v1/registrations/import", &headers, place).await.status, 200);
    let range = format!("from={begin}&to={}", begin + 13_000_000);
    let counted = site.get(&cookie, &format!("/api/v1/readings/count?{range}")).await.json();
    assert_eq!((&counted["readings"], &counted["devices"]), (&json!(24_000), &json!(2)), "{counted}");

    let answer = site.get(&cookie, &format!("/api/v1/readings/export?{range}&tz=Asia/Makassar")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/csv; charset=utf-8"));
    assert!(answer.header("content-disposition").contains("attachment; filename=\"tirta-"), "{answer:?}");
    let (file, is_whole) = body(&answer);
    assert!(is_whole);
    let rows = rows(&file);
    assert_eq!(rows.len(), 24_000);
    for (n, row) in rows.iter().enumerate() {
        let (device, seq) = (n / 12_000 + 1, n as i64 % 12_000 + 1);
        let time: jiff::Timestamp = row[0].parse().unwrap();
        assert_eq!(time.as_millisecond(), begin + seq * 1000);
        assert_eq!(row[1].parse::<jiff::Timestamp>().unwrap(), time);
        assert!(row[1].ends_with("+08:00"), "{row:?}");
        assert_eq!(&row[2], format!("pi-{device}"));
        assert_eq!(&row[3], if device == 1 { "'=Kolam, utara" } else { "" });
        let (metric, unit) = if seq % 2 == 0 { ("ph", "pH") } else { ("temperature", "°C") };
        assert_eq!((&row[4], &row[6], &row[8]), (metric, unit, "synced"));
        match seq % 100 {
            0 => assert_eq!((&row[5], &row[7]), ("", "no_answer")),
            _ => assert_eq!(row[5].parse::<f64>().unwrap(), seq as f64 / 8.0 - device as f64),
        }
        assert_eq!(
            (&row[9], &row[10], &row[11], &row[12]),
            (if seq % 100 == 1 { "simulated stuck" } else { "" }, "1500", "0.25", "0")
        );
    }
    let path = format!("/api/v1/readings/export?{range}&tz=Asia/Makassar");
    let packed = site.ask("GET", &path, &[headers[0], "accept-encoding: gzip"], "").await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    let (bytes, is_whole) = body(&packed);
    let mut unpacked = vec![];
    flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut unpacked).unwrap();
    assert!(is_whole && unpacked == file, "what is packed for the way is the same");
    let log = site.get(&cookie, "/api/v1/audit?act=readings.exported").await.json();
    let entry = &log["entries"][0];
    assert_eq!(
        (&entry["who"], &entry["detail"]["format"], &entry["detail"]["count"]),
        (&json!("admin"), &json!("csv"), &json!(24_000))
    );
    let told = site.get(&cookie, "/api/v1/readings/exports").await.json();
    assert_eq!((&told["exports"][0]["state"], &told["exports"][0]["rows"]), (&json!("done"), &json!(24_000)));
    assert_eq!(told["exports"][0]["bytes"], json!(file.len()));
    site.stop().await;
}

#[tokio::test]
async fn an_archive_has_a_table_for_each_device_what_happened_meanwhile_and_how_much_that_is() {
    let (site, cookie, begin) = filled(2, 3_000).await;
    let path = format!("/api/v1/readings/export?from={begin}&format=zip&status=fault&metric=ph");
    let answer = site.ask("GET", &path, &[&format!("cookie: {cookie}"), "accept-encoding: gzip"], "").await;
    assert_eq!(
        (answer.status, answer.header("content-type"), answer.header("content-encoding")),
        (200, "application/zip", "")
    );
    let (bytes, is_whole) = body(&answer);
    assert!(is_whole);
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut text = |name: &str| {
        let mut text = String::new();
        archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    assert!(text("README.txt").contains("manifest.json"));
    let manifest: Value = serde_json::from_str(&text("manifest.json")).unwrap();
    assert_eq!((&manifest["status"], &manifest["devices"]), (&json!("fault"), &json!(["pi-1", "pi-2"])));
    assert_eq!(manifest["units"]["ph"], "pH");
    let files = manifest["files"].as_array().unwrap();
    let names: Vec<_> = files.iter().map(|file| file["name"].as_str().unwrap()).collect();
    let logs = ["logs/alerts.csv", "logs/outages.csv", "logs/calibrations.csv"];
    assert_eq!(names, [&["readings/pi-1.csv", "readings/pi-2.csv"][..], &logs[..]].concat());
    for file in files {
        let lines = rows(text(file["name"].as_str().unwrap()).as_bytes());
        assert_eq!(json!(lines.len()), file["rows"], "{file}");
    }
    let faults = rows(text("readings/pi-1.csv").as_bytes());
    assert!(faults.len() == 30 && faults.iter().all(|row| &row[7] == "no_answer"), "{}", faults.len());
    site.stop().await;
}

#[tokio::test]
async fn a_file_that_breaks_off_is_seen_to_be_cut_off() {
    let (site, cookie, begin) = filled(2, 1_000).await;
    site.with_database(|database| {
        assert!(database.execute("UPDATE segment SET packed = x'09' WHERE device = 'pi-2'", []).unwrap() > 0);
    })
    .await;
    for (format, packing) in [("csv", ""), ("csv", "gzip"), ("zip", "")] {
        let path = format!("/api/v1/readings/export?from={begin}&format={format}");
        let packed = format!("accept-encoding: {packing}");
        let answer = site.ask("GET", &path, &[&format!("cookie: {cookie}"), &packed], "").await;
        assert_eq!((answer.status, answer.header("content-encoding")), (200, packing));
        let (bytes, is_whole) = body(&answer);
        assert!(!bytes.is_empty() && !is_whole, "{format} {packing}");
        if format == "zip" {
            assert!(zip::ZipArchive::new(Cursor::new(bytes)).is_err());
        }
    }
    let told = site.get(&cookie, "/api/v1/readings/exports").await.json();
    assert_eq!((&told["exports"][0]["state"], &told["exports"][1]["state"]), (&json!("broken"), &json!("broken")));
    site.stop().await;
}

/// Asks for an export and takes only what fits into the way there.
async fn begin_slowly(site: &Site, cookie: &str, begin: i64) -> TcpStream {
    let mut stream = TcpStream::connect(site.plain).await.unwrap();
    let path = format!("/api/v1/readings/export?from={begin}");
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncookie: {cookie}\r\n\r\n", site.plain);
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    stream
}

/// Whether all of the rest comes.
async fn is_whole(mut stream: TcpStream) -> bool {
    let mut rest = vec![];
    let _ = stream.read_to_end(&mut rest).await;
    let end = rest.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    unchunked(&rest[end + 4..]).1
}

#[tokio::test]
async fn exports_are_few_at_a_time_and_end_when_they_are_stopped_or_their_owner_signs_out() {
    let (site, cookie, begin) = filled(1, 100_000).await;
    let (one, other) = (begin_slowly(&site, &cookie, begin).await, begin_slowly(&site, &cookie, begin).await);
    let third = site.get(&cookie, &format!("/api/v1/readings/export?from={begin}")).await;
    assert_eq!((third.status, third.code(), third.header("retry-after")), (429, "too_many_exports".to_owned(), "30"));
    let told = site.get(&cookie, "/api/v1/readings/exports").await.json();
    let ids: Vec<_> = told["exports"].as_array().unwrap().iter().map(|export| export["id"].clone()).collect();
    assert_eq!(ids.len(), 2);
    let stranger = site.person(&cookie, "sari", "auditor").await;
    let headers = |cookie: &str| format!("cookie: {cookie}");
    let path = format!("/api/v1/readings/exports/{}", ids[1]);
    let refused = site.ask("DELETE", &path, &[&headers(&stranger)], "").await;
    assert_eq!((refused.status, refused.code()), (404, "unknown_export".to_owned()), "it is another's");
    assert_eq!(site.ask("DELETE", &path, &[&headers(&cookie)], "").await.status, 204);
    assert!(!is_whole(one).await);
    let told = site.get(&cookie, "/api/v1/readings/exports").await.json();
    let states: Vec<_> = told["exports"].as_array().unwrap().iter().map(|export| export["state"].clone()).collect();
    assert_eq!(states, [json!("running"), json!("stopped")]);
    assert_eq!(site.ask("DELETE", "/api/v1/session", &[&headers(&cookie)], "").await.status, 204);
    assert!(!is_whole(other).await, "a session that has ended takes nothing out");
    site.stop().await;
}

#[tokio::test]
async fn the_list_is_the_newest_first_of_those_that_are_meant_page_by_page() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let mut device = Device::join(&site, &cookie).await;
    let at = site.now() - 60_000;
    let stuck = Reading { flags: Flags::NONE.with(Flag::Stuck), ..reading(3, at + 2000, Metric::Ph, Ok(7.5)) };
    device
        .send(vec![
            reading(1, at, Metric::Ph, Ok(7.25)),
            reading(2, at + 1000, Metric::Ph, Err(Fault::NoAnswer)),
            stuck,
            reading(4, at + 2000, Metric::Temperature, Ok(27.5)),
        ])
        .await;
    let seen = async |query: &str| {
        let page = site.get(&cookie, &format!("/api/v1/readings?{query}")).await.json();
        let seen: Vec<_> =
            page["readings"].as_array().unwrap().iter().map(|r| r["time"].as_i64().unwrap() - at).collect();
        (seen, page["next"].as_i64().map(|next| next - at))
    };
    assert_eq!(seen("").await, (vec![2000, 2000, 1000, 0], None));
    assert_eq!(seen("limit=1").await, (vec![2000, 2000], Some(2000)), "all of one millisecond");
    assert_eq!(seen(&format!("limit=1&to={}", at + 2000)).await, (vec![1000], Some(1000)));
    assert_eq!(seen("status=fault").await, (vec![1000], None));
    assert_eq!(seen("status=flagged&metric=ph,tds").await, (vec![2000], None));
    assert_eq!(seen(&format!("status=good&device={}", device.name)).await, (vec![2000, 0], None));
    assert_eq!(seen("location=Utara").await, (vec![], None));
    let at_most = site.get(&cookie, "/api/v1/readings/count?status=good").await.json();
    assert_eq!((&at_most["readings"], &at_most["at_most"]), (&json!(3), &json!(true)));
    for path in ["readings", "readings/count", "readings/export"] {
        for (query, field) in [
            ("from=5&to=5", "from"),
            ("device=pi-99", "device"),
            ("device=PI", "device"),
            ("metric=ph,humidity", "metric"),
            ("metric=", "metric"),
            ("status=bad", "status"),
            ("since=5", "since"),
        ] {
            let bad = site.get(&cookie, &format!("/api/v1/{path}?{query}")).await;
            assert_eq!((bad.status, bad.field()), (400, field.to_owned()), "{path} {query}");
        }
    }
    for (query, field) in [
        ("readings?limit=0", "limit"),
        ("readings/count?limit=0", "limit"),
        ("readings/export?format=xml", "format"),
        ("readings/export?tz=Mars", "tz"),
    ] {
        let bad = site.get(&cookie, &format!("/api/v1/{query}")).await;
        assert_eq!((bad.status, bad.field()), (400, field.to_owned()), "{query}");
    }
    let before = site.get(&cookie, "/api/v1/audit?act=readings.exported").await.json();
    let head = site.ask("HEAD", "/api/v1/readings/export", &[&format!("cookie: {cookie}")], "").await;
    assert_eq!((head.status, head.header("content-type")), (200, "text/csv; charset=utf-8"));
    assert_eq!(site.get(&cookie, "/api/v1/audit?act=readings.exported").await.json(), before, "nothing was taken out");
    site.stop().await;
}
