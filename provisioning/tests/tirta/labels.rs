//! What a phone reads on a printed sheet is the address that was meant. The PDF is taken apart without a reader of PDF.

use flate2::read::ZlibDecoder;
use provisioning::labels::{Grid, Label, Paper, pdf, png};
use provisioning::registrations::Registration;
use std::io::Read;

const ADDRESS: &str = "https://tirta.local:8443";
const WIDTH: usize = 2480;
const HEIGHT: usize = 3508;

fn labels(count: u64) -> Vec<Label> {
    let one = |n: u64| Registration {
        name: format!("pi-{n}"),
        serial: (!n.is_multiple_of(3)).then(|| format!("{:016x}", 0x1000_0000_a3c4_0000 + n)),
        location: "Café (Teich) – Вода behind the old greenhouse, north side".to_owned(),
    };
    (1..=count).map(|n| Label::new(&one(n), ADDRESS)).collect()
}

fn grid(columns: u32, rows: u32) -> Grid {
    Grid { paper: Paper::A4, columns, rows }
}

/// What a reader of codes finds in each label of a page, one after the other, as a phone is held before one;
/// `is_dark` by column and row of the page.
fn read_codes(grid: &Grid, is_dark: impl Fn(usize, usize) -> bool) -> Vec<String> {
    let (columns, rows) = (grid.columns as usize, grid.rows as usize);
    // 10 mm around the page are left white.
    let (wide, high) = ((WIDTH - 236) / columns, (HEIGHT - 236) / rows);
    let (left, top) = ((WIDTH - wide * columns) / 2, (HEIGHT - high * rows) / 2);
    let mut found = Vec::new();
    for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
        let at = |x: usize, y: usize| is_dark(left + column * wide + x, top + row * high + y);
        let mut label = rqrr::PreparedImage::prepare_from_bitmap(wide, high, at);
        found.extend(label.detect_grids().iter().map(|code| code.decode().unwrap().1));
    }
    found
}

fn claims(labels: &[Label]) -> Vec<String> {
    labels.iter().map(|label| label.claim.clone()).collect()
}

fn picture(file: &[u8]) -> (usize, usize, Vec<u8>) {
    let mut reader = ::png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
    let mut dots = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut dots).unwrap();
    let pixels = reader.info().pixel_dims.unwrap();
    assert_eq!((pixels.xppu, pixels.yppu, pixels.unit), (11811, 11811, ::png::Unit::Meter));
    (info.width as usize, info.height as usize, dots)
}

/// The drawing of each page.
fn drawings(file: &[u8]) -> Vec<String> {
    let find = |from: usize, what: &[u8]| file[from..].windows(what.len()).position(|w| w == what).map(|at| from + at);
    let mut drawings = Vec::new();
    let mut from = 0;
    while let Some(start) = find(from, b"\nstream\n") {
        let end = find(start, b"\nendstream").unwrap();
        let mut plain = Vec::new();
        ZlibDecoder::new(&file[start + 8..end]).read_to_end(&mut plain).unwrap();
        drawings.push(plain.iter().map(|byte| char::from(*byte)).collect());
        from = end;
    }
    drawings
}

/// The filled rectangles of a drawing, in dots from the upper left.
fn filled(drawing: &str) -> Vec<[usize; 4]> {
    let (mut filled, mut path) = (Vec::new(), Vec::new());
    for line in drawing.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            [x, y, w, h, "re"] => {
                let [x, y, w, h] = [x, y, w, h].map(|number| number.parse::<usize>().unwrap());
                path.push([x, HEIGHT - y - h, w, h]);
            }
            ["f"] => filled.append(&mut path),
            ["S"] => path.clear(),
            _ => {}
        }
    }
    filled
}

#[test]
fn the_codes_of_a_picture_hold_the_addresses_of_its_labels() {
    let labels = labels(27);
    assert_eq!(labels[0].claim, "https://tirta.local:8443/claim/pi-1?serial=10000000a3c40001");
    assert_eq!(labels[2].claim, "https://tirta.local:8443/claim/pi-3");
    let grid = grid(3, 8);
    let pages = png(&labels, &grid).unwrap();
    assert_eq!(pages.len(), 2);
    for (page, labels) in pages.iter().zip(labels.chunks(24)) {
        let (width, height, dots) = picture(page);
        assert_eq!((width, height), (WIDTH, HEIGHT));
        assert_eq!(read_codes(&grid, |x, y| dots[y * WIDTH + x] < 128), claims(labels));
    }
}

#[test]
fn the_codes_of_a_pdf_hold_the_addresses_of_its_labels() {
    let labels = labels(27);
    let grid = grid(3, 8);
    let drawings = drawings(&pdf(&labels, &grid).unwrap());
    assert_eq!(drawings.len(), 2);
    for (drawing, labels) in drawings.iter().zip(labels.chunks(24)) {
        let mut dark = vec![false; WIDTH * HEIGHT];
        for [x, y, w, h] in filled(drawing) {
            (y..y + h).for_each(|row| dark[row * WIDTH + x..row * WIDTH + x + w].fill(true));
        }
        assert_eq!(read_codes(&grid, |x, y| dark[y * WIDTH + x]), claims(labels));
        for label in labels {
            assert!(drawing.contains(&format!("({}) Tj", label.name)), "{}", label.name);
            assert!(label.serial.iter().all(|serial| drawing.contains(&format!("({serial}) Tj"))));
        }
    }
}

#[test]
fn a_pdf_is_what_readers_expect_and_its_words_are_those_of_its_font() {
    let file = pdf(&labels(1), &grid(3, 8)).unwrap();
    assert!(file.starts_with(b"%PDF-1."));
    let text: String = file.iter().map(|byte| char::from(*byte)).collect();
    for part in [
        "/MediaBox [0 0 595.2 841.92]",
        "/BaseFont /Helvetica-Bold",
        "/Encoding /WinAnsiEncoding",
        "/Count 1",
        "/PrintScaling /None",
    ] {
        assert!(text.contains(part), "{part}");
    }
    // The table of where everything is.
    let start: usize = text.trim_end_matches("%%EOF").trim().rsplit('\n').next().unwrap().parse().unwrap();
    assert!(text[text.char_indices().nth(start).unwrap().0..].starts_with("xref"));
    let drawing = &drawings(&file)[0];
    assert!(drawing.contains("0.24 0 0 0.24 0 0 cm"), "300 dots to an inch");
    // In WinAnsi: é, brackets that end no text, a dash, Cyrillic in plain letters, and the ellipsis at the end.
    let words = [&b"Caf\xe9 (Teich) \x96"[..], b"Voda behind th\x85"];
    for line in words {
        let written: String = line.iter().map(|byte| format!("{byte:02X}")).collect();
        assert!(drawing.contains(&format!("<{written}> Tj")), "{drawing}");
    }
}

#[test]
fn labels_of_every_size_that_is_offered_can_be_read() {
    let labels = labels(2);
    for (columns, rows) in [(1, 1), (2, 4), (4, 4), (4, 9), (5, 3)] {
        let grid = grid(columns, rows);
        let (_, _, dots) = picture(&png(&labels, &grid).unwrap()[0]);
        let a_page = usize::try_from(columns * rows).unwrap();
        let found = read_codes(&grid, |x, y| dots[y * WIDTH + x] < 128);
        assert_eq!(found, claims(&labels[..labels.len().min(a_page)]), "{columns} x {rows}");
    }
}
