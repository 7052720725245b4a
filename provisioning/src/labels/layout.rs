//! Where everything stands on the page, in dots of 300 to an inch from the upper left. Knows neither PDF nor PNG.

use super::code::Code;
use super::text::{Face, Font, lines, shown, width};
use super::{Label, LabelError};

/// Dots in an inch. Everything that a phone reads has edges on whole dots, so that no printer has to blur them.
pub const DPI: u32 = 300;
/// The smallest module of a code: 0.42 mm, which any phone reads.
const LEAST_MODULE: u32 = 5;
/// The largest; more makes it no easier.
const MOST_MODULE: u32 = 12;
/// What printers leave white around a page: 10 mm.
const MARGIN: u32 = 118;
/// Between what is printed and the edge of a label: 1.5 mm.
const PADDING: u32 = 18;
/// The smallest text: 5 points.
const LEAST_TEXT: f32 = 21.0;

/// A size of paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paper {
    /// 210 x 297 mm.
    A4,
    /// 8.5 x 11 inches.
    Letter,
}

/// How a page is divided into labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// The page.
    pub paper: Paper,
    /// Labels side by side; 0 counts as 1.
    pub columns: u32,
    /// Labels below each other; 0 counts as 1.
    pub rows: u32,
}

impl Grid {
    /// Width and height of the page.
    pub fn page(&self) -> (u32, u32) {
        match self.paper {
            Paper::A4 => (2480, 3508),
            Paper::Letter => (2550, 3300),
        }
    }

    /// Width and height of a label.
    fn label(&self) -> (u32, u32) {
        let (width, height) = self.page();
        ((width - 2 * MARGIN) / self.columns.max(1), (height - 2 * MARGIN) / self.rows.max(1))
    }
}

/// Something on a page.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// Where to cut: left, top, width, height.
    Outline(u32, u32, u32, u32),
    /// A code.
    Code {
        /// Left edge, of the quiet zone.
        x: u32,
        /// Upper edge, of the quiet zone.
        y: u32,
        /// Width of a module.
        module: u32,
        /// What to draw.
        code: Code,
    },
    /// A line of text.
    Text {
        /// Left edge.
        x: f32,
        /// Baseline.
        y: f32,
        /// Of an em.
        size: f32,
        /// In which cut.
        face: Face,
        /// Only characters that the font has.
        text: String,
    },
}

/// The pages, each with the marks on it. No label is on two of them.
///
/// # Errors
/// When a label has no room for what must be on it.
pub fn pages(labels: &[Label], grid: &Grid, font: &dyn Font) -> Result<Vec<Vec<Mark>>, LabelError> {
    let (columns, rows) = (grid.columns.max(1), grid.rows.max(1));
    let (width, height) = grid.label();
    let (page_width, page_height) = grid.page();
    let (left, top) = ((page_width - columns * width) / 2, (page_height - rows * height) / 2);
    let a_page = usize::try_from(columns.saturating_mul(rows)).unwrap_or(usize::MAX);
    let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (left + column * width, top + row * height)));
    labels
        .chunks(a_page)
        .map(|labels| {
            let mut marks = Vec::new();
            for (label, (x, y)) in labels.iter().zip(places.clone()) {
                marks.push(Mark::Outline(x, y, width, height));
                marks.extend(place(label, (x, y, width, height), font)?);
            }
            Ok(marks)
        })
        .collect()
}

/// A label: the code on the left and the words on the right, or below it if the label is upright.
fn place(label: &Label, (x, y, width, height): (u32, u32, u32, u32), font: &dyn Font) -> Result<Vec<Mark>, LabelError> {
    let too_small = |what: String| LabelError::TooSmall {
        name: label.name.clone(),
        width_mm: millimetres(width),
        height_mm: millimetres(height),
        what,
    };
    let code = Code::new(&label.claim)?;
    let upright = height > width;
    let (long, short) = if upright { (height, width) } else { (width, height) };
    // The words get what the code leaves, but at least two fifths.
    let room = short.saturating_sub(2 * PADDING).min(long * 3 / 5);
    let module = (room / code.side()).min(MOST_MODULE);
    if module < LEAST_MODULE {
        let needed = millimetres(code.side() * LEAST_MODULE + 2 * PADDING) + 1;
        return Err(too_small(format!("its code needs {needed} x {needed} mm")));
    }
    let side = module * code.side();
    let (code_x, code_y) =
        if upright { (x + (width - side) / 2, y + PADDING) } else { (x + PADDING, y + (height - side) / 2) };
    // The quiet zone is distance enough on the code's side.
    let text = if upright {
        Room {
            x: x + 2 * PADDING,
            y: code_y + side,
            width: width.saturating_sub(4 * PADDING),
            height: (height - side).saturating_sub(3 * PADDING),
        }
    } else {
        Room {
            x: code_x + side,
            y: y + PADDING,
            width: (width - side).saturating_sub(3 * PADDING),
            height: height - 2 * PADDING,
        }
    };
    let mut marks = vec![Mark::Code { x: code_x, y: code_y, module, code }];
    marks.extend(text.set(label, font).map_err(too_small)?);
    Ok(marks)
}

/// Where the words go.
struct Room {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

impl Room {
    fn set(&self, label: &Label, font: &dyn Font) -> Result<Vec<Mark>, String> {
        let (wide, high) = (dots(self.width), dots(self.height));
        let small = (high / 9.0).clamp(LEAST_TEXT, 50.0);
        let fitting = |face, text: &str, size: f32| size.min(wide / width(font, face, text, 1.0).max(0.1));
        let name = shown(font, Face::Bold, &label.name);
        let name_size = fitting(Face::Bold, &name, (high * 0.34).max(small));
        let mut set = vec![(name, Face::Bold, name_size)];
        if let Some(serial) = &label.serial {
            set.push((serial.clone(), Face::Regular, fitting(Face::Regular, serial, small)));
        }
        if let Some((text, _, _)) = set.iter().find(|(_, _, size)| *size < LEAST_TEXT) {
            return Err(format!("there is no room for {text}"));
        }
        let location = lines(font, &label.location, small, wide, 2);
        set.extend(location.into_iter().map(|line| (line, Face::Regular, small)));
        // Lines as high as 1.3 times their type; in the middle of what there is.
        let total: f32 = set.iter().map(|(_, _, size)| size * 1.3).sum();
        if total > high {
            return Err("its lines do not fit".to_owned());
        }
        let mut top = dots(self.y) + (high - total) / 2.0;
        Ok(set
            .into_iter()
            .map(|(text, face, size)| {
                let mark = Mark::Text { x: dots(self.x), y: (top + size).round(), size, face, text };
                top += size * 1.3;
                mark
            })
            .collect())
    }
}

/// No page has so many that any would be lost.
#[allow(clippy::cast_precision_loss)]
pub fn dots(number: u32) -> f32 {
    number as f32
}

/// Rounded down: what is said to be there is there.
fn millimetres(dots: u32) -> u32 {
    dots * 254 / (DPI * 10)
}

#[cfg(test)]
mod tests;
