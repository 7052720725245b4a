//! Nothing leaves its label, whatever the paper and the words.

use super::*;
use crate::labels::{helvetica::Helvetica, raster::NotoMono};

fn label(number: usize, location: &str) -> Label {
    let name = format!("pi-{number}");
    let claim = format!("https://tirta.local:8443/claim/{name}?serial=10000000a3c40011");
    Label { name, serial: Some("10000000a3c40011".to_owned()), location: location.to_owned(), claim }
}

fn grid(columns: u32, rows: u32) -> Grid {
    Grid { paper: Paper::A4, columns, rows }
}

/// Left, top, right and bottom of a mark.
fn extent(mark: &Mark, font: &dyn Font) -> (f32, f32, f32, f32) {
    match mark {
        Mark::Outline(x, y, w, h) => (dots(*x), dots(*y), dots(x + w), dots(y + h)),
        Mark::Code { x, y, module, code } => {
            let side = module * code.side();
            (dots(*x), dots(*y), dots(x + side), dots(y + side))
        }
        Mark::Text { x, y, size, face, text } => {
            (*x, y - size * 0.8, x + width(font, *face, text, *size), y + size * 0.25)
        }
    }
}

#[test]
fn nothing_leaves_its_label_and_no_words_are_in_the_quiet_zone() {
    let labels: Vec<Label> =
        (1..=60).map(|n| label(n * 7, "The second pond behind the old greenhouse, north side, left")).collect();
    for font in [&Helvetica as &dyn Font, &NotoMono] {
        for paper in [Paper::A4, Paper::Letter] {
            for (columns, rows) in [(3, 8), (2, 7), (1, 1), (4, 3), (2, 10), (1, 4)] {
                let grid = Grid { paper, columns, rows };
                for page in pages(&labels, &grid, font).unwrap() {
                    let mut outline = (0.0, 0.0, 0.0, 0.0);
                    let mut code = outline;
                    for mark in &page {
                        let (left, top, right, bottom) = extent(mark, font);
                        match mark {
                            Mark::Outline(..) => {
                                outline = (left, top, right, bottom);
                                let (width, height) = grid.page();
                                assert!(right <= dots(width) && bottom <= dots(height), "{mark:?}");
                            }
                            Mark::Code { .. } => code = (left, top, right, bottom),
                            Mark::Text { .. } => assert!(left >= code.2 || top >= code.3, "{mark:?} {code:?}"),
                        }
                        let inside =
                            left >= outline.0 && top >= outline.1 && right <= outline.2 + 0.5 && bottom <= outline.3;
                        assert!(inside, "{mark:?} of {outline:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn every_label_is_on_one_page_in_the_given_order() {
    let labels: Vec<Label> = (1..=99).map(|n| label(n, "Pond")).collect();
    let pages = pages(&labels, &grid(3, 8), &Helvetica).unwrap();
    let names = |page: &Vec<Mark>| -> Vec<String> {
        let names = page.iter().filter_map(|mark| match mark {
            Mark::Text { face: Face::Bold, text, .. } => Some(text.clone()),
            _ => None,
        });
        names.collect()
    };
    assert_eq!(pages.iter().map(|page| names(page).len()).collect::<Vec<_>>(), [24, 24, 24, 24, 3]);
    assert_eq!(
        pages.iter().flat_map(names).collect::<Vec<_>>(),
        labels.iter().map(|l| l.name.clone()).collect::<Vec<_>>()
    );
}

#[test]
fn modules_are_never_smaller_than_a_phone_reads() {
    for (columns, rows) in [(3, 8), (3, 12), (1, 1), (5, 12)] {
        match pages(&[label(7, "Pond")], &grid(columns, rows), &Helvetica) {
            Ok(pages) => assert!(pages[0].iter().all(|mark| !matches!(mark, Mark::Code { module: 0..5, .. }))),
            Err(e) => assert!(e.to_string().contains("--columns, --rows: a label of"), "{e}"),
        }
    }
    let crowded = pages(&[label(7, "Pond")], &grid(3, 20), &Helvetica).unwrap_err().to_string();
    assert!(crowded.contains("63 x 13 mm") && crowded.contains("pi-7: its code needs 21 x 21 mm"), "{crowded}");
}

#[test]
fn a_label_without_serial_and_location_has_its_name_alone() {
    let bare = Label { serial: None, ..label(7, "") };
    let marks = &pages(&[bare], &grid(3, 8), &Helvetica).unwrap()[0];
    assert_eq!(marks.iter().filter(|mark| matches!(mark, Mark::Text { .. })).count(), 1);
}
