//! Pages as PDF: everything is drawn as vectors, in the fonts that every reader has.

use super::helvetica::bytes;
use super::layout::{DPI, Grid, Mark, dots};
use super::text::Face;
use flate2::{Compression, write::ZlibEncoder};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str};
use std::io::Write;

/// PDF counts in points, 72 to an inch.
const POINTS: f32 = 72.0;
const REGULAR: Name<'_> = Name(b"R");
const BOLD: Name<'_> = Name(b"B");

/// The whole file.
pub fn file(pages: &[Vec<Mark>], grid: &Grid) -> Vec<u8> {
    let scale = POINTS / dots(DPI);
    let (width, height) = grid.page();
    let mut last = 0;
    let mut next = || {
        last += 1;
        Ref::new(last)
    };
    let (catalog, tree, regular, bold) = (next(), next(), next(), next());
    let ids: Vec<(Ref, Ref)> = pages.iter().map(|_| (next(), next())).collect();
    let mut pdf = Pdf::new();
    let mut root = pdf.catalog(catalog);
    // A reader that fits pages to the paper would make labels smaller than the sheets that they are printed on.
    root.pages(tree).insert(Name(b"ViewerPreferences")).dict().pair(Name(b"PrintScaling"), Name(b"None"));
    root.finish();
    pdf.pages(tree).kids(ids.iter().map(|(page, _)| *page)).count(i32::try_from(ids.len()).unwrap_or(i32::MAX));
    for (font, name) in [(regular, Name(b"Helvetica")), (bold, Name(b"Helvetica-Bold"))] {
        pdf.type1_font(font).base_font(name).encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    for (marks, (id, drawing)) in pages.iter().zip(ids) {
        let mut page = pdf.page(id);
        page.media_box(Rect::new(0.0, 0.0, dots(width) * scale, dots(height) * scale));
        page.parent(tree).contents(drawing);
        page.resources().fonts().pair(REGULAR, regular).pair(BOLD, bold);
        page.finish();
        let plain = draw(marks, scale, dots(height));
        match compressed(&plain) {
            Ok(short) => pdf.stream(drawing, &short).filter(Filter::FlateDecode).finish(),
            Err(_) => pdf.stream(drawing, &plain).finish(),
        }
    }
    pdf.finish()
}

fn compressed(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain)?;
    encoder.finish()
}

fn draw(marks: &[Mark], scale: f32, height: f32) -> Vec<u8> {
    let mut content = Content::new();
    // From here on in dots, so that the modules of a code have whole numbers.
    content.transform([scale, 0.0, 0.0, scale, 0.0, 0.0]).set_stroke_gray(0.75).set_line_width(1.0);
    for mark in marks {
        match mark {
            Mark::Outline(x, y, wide, high) => {
                content.rect(dots(*x), height - dots(y + high), dots(*wide), dots(*high)).stroke();
            }
            Mark::Code { x, y, module, code } => {
                // One path: between two, readers draw a hair of white.
                for (column, row, length) in code.runs() {
                    let (left, bottom) = (dots(x + column * module), height - dots(y + (row + 1) * module));
                    content.rect(left, bottom, dots(length * module), dots(*module));
                }
                content.fill_nonzero();
            }
            Mark::Text { x, y, size, face, text } => {
                let font = match face {
                    Face::Regular => REGULAR,
                    Face::Bold => BOLD,
                };
                content.begin_text().set_font(font, *size).next_line(*x, height - y);
                content.show(Str(&bytes(text))).end_text();
            }
        }
    }
    content.finish().to_vec()
}
