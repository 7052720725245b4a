//! What spreadsheets write is read, what is wrong is named with its line, and an export reads back the same.

use super::*;
use proptest::prelude::*;

fn good(text: &str) -> File {
    let file = read(text.as_bytes()).unwrap();
    for line in &file.lines {
        assert_eq!(line.refusals, [], "{text:?}");
    }
    file
}

fn why(text: &str) -> String {
    read(text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn the_same_lines_are_read_whatever_the_spreadsheet_made_of_them() {
    let plain = "serial,name,location,latitude,longitude,metrics,notes\n\
        10000000deadbeef,pi-1,\"Kolam 1, utara\",-6.2088,106.8456,ph tds,say \"\"hi\"\"\n\
        ,pi-2,Greenhouse,,,,\n";
    let plain = plain.replace("say \"\"hi\"\"", "\"say \"\"hi\"\"\"");
    let expected = good(&plain);
    assert_eq!(expected.lines.len(), 2);
    let first = &expected.lines[0].wanted;
    assert_eq!(first.location.as_deref(), Some("Kolam 1, utara"));
    assert_eq!((first.latitude, first.longitude), (Some(Some(-6.2088)), Some(Some(106.8456))));
    assert_eq!(first.metrics, Some(vec![Metric::Ph, Metric::Tds]));
    assert_eq!(first.notes.as_deref(), Some("say \"hi\""));

    assert_eq!(good(&format!("\u{feff}{}", plain.replace('\n', "\r\n"))), expected);
    assert_eq!(good(plain.trim_end()), expected, "no line end at the end");
    let indonesian = "Nama;Catatan;No. Seri;LOKASI;Lintang;Bujur;Metrik\r\n\
        pi-1;\"say \"\"hi\"\"\";10000000DEADBEEF;Kolam 1, utara;-6,2088;106,8456;tds, ph\r\n\
        pi-2;;;Greenhouse\r\n;;;;;;\r\n\r\n";
    let read = good(indonesian);
    let wanted = |file: &File| file.lines.iter().map(|line| line.wanted.clone()).collect::<Vec<_>>();
    assert_eq!(wanted(&read), wanted(&expected));
}

#[test]
fn the_example_of_the_documentation_is_read() {
    let page = include_str!("../../../../docs/provisioning.md");
    let example = page.split("```csv\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let file = good(example);
    assert_eq!((file.lines.len(), file.unknown_columns.len()), (3, 0));
}

#[test]
fn a_line_has_the_number_that_an_editor_shows() {
    for end in ["\n", "\r\n"] {
        let text = ["name,notes", "pi-1,\"two", "lines\"", "", "pi-2,", " ,", "pi-3,x", ""].join(end);
        let numbers: Vec<_> = good(&text).lines.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [2, 5, 7], "{end:?}");
    }
}

#[test]
fn a_column_that_is_not_there_says_nothing_and_an_empty_cell_says_empty() {
    let file = good("name,notes\npi-1,\n");
    assert_eq!(file.lines[0].wanted.location, None);
    assert_eq!(file.lines[0].wanted.notes.as_deref(), Some(""));
}

#[test]
fn columns_that_mean_nothing_here_are_reported() {
    assert_eq!(good("name,Altitude,,price\npi-1,12,,3\n").unknown_columns, ["Altitude", "price"]);
}

#[test]
fn all_that_is_wrong_with_a_line_is_said_at_once() {
    let file = read(b"serial,name,latitude,metrics\nxyz,Pi 1,\"6,2\",humidity,more\n,,1,\n").unwrap();
    let codes = |line: &Line| line.refusals.iter().map(Refusal::code).collect::<Vec<_>>();
    assert_eq!(codes(&file.lines[0]), ["bad_serial", "bad_name", "not_a_number", "unknown_metric", "too_many_cells"]);
    assert_eq!(file.lines[0].written, ["xyz", "Pi 1", ""]);
    assert_eq!(codes(&file.lines[1]), ["no_identity"]);
}

#[test]
fn a_file_that_cannot_be_read_is_refused_with_the_line_and_what_to_do() {
    assert!(why("").contains("line 1: no column is called serial or name"));
    assert!(why("pi-1,Greenhouse\n").contains("serial,name,location"));
    assert!(why("name,Nama\npi-1,x\n").contains("two columns are called name"));
    let latin = [b"name,notes\npi-1,caf\xe9\n".as_slice()].concat();
    assert!(read(&latin).unwrap_err().to_string().contains("line 2: the text is not UTF-8"));
    assert!(why("name,notes\npi-1,a\npi-2,\"b\npi-3,c\n").contains("line 3: a quotation mark"));
    let many = format!("name\n{}", "pi-1\n".repeat(MOST_LINES + 1));
    assert!(why(&many).contains(&format!("line {}: more than", MOST_LINES + 2)));
}

#[test]
fn an_export_is_harmless_and_a_latitude_in_it_is_still_a_number() {
    let mut entry = Entry::named(DeviceName::numbered(1));
    (entry.latitude, entry.longitude) = (Some(-6.2), Some(106.816_666));
    entry.location = "=HYPERLINK(\"http://x\")".to_owned();
    entry.notes = "@cmd".to_owned();
    let text = write([&entry]).unwrap();
    let line = text.lines().nth(1).unwrap();
    assert_eq!(line, ",pi-1,\"'=HYPERLINK(\"\"http://x\"\")\",-6.2,106.816666,,'@cmd");
}

prop_compose! {
    fn entry()(
        number in 1_u32..100_000,
        serial in proptest::option::of(1_u64..),
        location in "\\PC{0,40}",
        position in proptest::option::of((-90.0..=90.0_f64, -180.0..=180.0_f64)),
        metrics in proptest::sample::subsequence(Metric::ALL.to_vec(), 0..=Metric::ALL.len()),
        notes in "[=+@'\"\t\r\n;, -]{0,3}(\\PC|[\r\n\t]){0,60}",
    ) -> Entry {
        Entry {
            name: DeviceName::numbered(number),
            serial: serial.and_then(|bits| format!("{bits:016x}").parse().ok()),
            location: cell::text(Column::Location, &location).unwrap(),
            latitude: position.map(|(latitude, _)| latitude),
            longitude: position.map(|(_, longitude)| longitude),
            metrics,
            notes: cell::text(Column::Notes, &notes).unwrap(),
        }
    }
}

proptest! {
    #[test]
    fn an_export_of_anything_reads_back_the_same(entries in proptest::collection::vec(entry(), 0..5)) {
        let text = write(&entries).unwrap();
        let file = good(&text);
        prop_assert_eq!(file.lines.len(), entries.len());
        for (entry, line) in entries.into_iter().zip(file.lines) {
            let expected = Wanted {
                serial: entry.serial,
                name: Some(entry.name),
                location: Some(entry.location),
                latitude: Some(entry.latitude),
                longitude: Some(entry.longitude),
                metrics: Some(entry.metrics),
                notes: Some(entry.notes),
            };
            prop_assert_eq!(line.wanted, expected);
        }
    }

    #[test]
    fn no_bytes_bring_the_reader_down(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[\"a,;\r\nserialname]{0,60}") {
        let _ = read(&bytes);
        let _ = read(text.as_bytes());
    }
}
