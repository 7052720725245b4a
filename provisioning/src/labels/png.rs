//! A page as a picture of 300 dots an inch, in grey.

use super::layout::{DPI, Grid, Mark};
use super::raster::Glyph;
use png::{BitDepth, ColorType, Encoder, EncodingError, PixelDimensions, Unit};

/// The grey of the lines to cut along.
const LINE: u8 = 190;

/// The whole file.
pub fn file(marks: &[Mark], grid: &Grid) -> Result<Vec<u8>, EncodingError> {
    let (width, height) = grid.page();
    let mut page = Page::white(width, height);
    for mark in marks {
        page.draw(mark);
    }
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::Eight);
    // So that it is printed in its size.
    let a_metre = DPI * 10_000 / 254;
    encoder.set_pixel_dims(Some(PixelDimensions { xppu: a_metre, yppu: a_metre, unit: Unit::Meter }));
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&page.dots)?;
    writer.finish()?;
    Ok(file)
}

struct Page {
    width: u32,
    dots: Vec<u8>,
}

impl Page {
    fn white(width: u32, height: u32) -> Self {
        let count = usize::try_from(width).unwrap_or(0) * usize::try_from(height).unwrap_or(0);
        Self { width, dots: vec![255; count] }
    }

    /// Makes a dot as dark as this, unless it is darker.
    fn darken(&mut self, x: u32, y: u32, grey: u8) {
        if x >= self.width {
            return;
        }
        let at = u64::from(y) * u64::from(self.width) + u64::from(x);
        if let Some(dot) = usize::try_from(at).ok().and_then(|at| self.dots.get_mut(at)) {
            *dot = grey.min(*dot);
        }
    }

    fn fill(&mut self, (x, y): (u32, u32), (width, height): (u32, u32), grey: u8) {
        for row in y..y + height {
            for column in x..x + width {
                self.darken(column, row, grey);
            }
        }
    }

    fn draw(&mut self, mark: &Mark) {
        match mark {
            Mark::Outline(x, y, width, height) => {
                for edge in [(*x, *y), (*x, y + height)] {
                    self.fill(edge, (*width, 1), LINE);
                }
                for edge in [(*x, *y), (x + width, *y)] {
                    self.fill(edge, (1, *height), LINE);
                }
            }
            Mark::Code { x, y, module, code } => {
                for (column, row, length) in code.runs() {
                    self.fill((x + column * module, y + row * module), (length * module, *module), 0);
                }
            }
            Mark::Text { x, y, size, face, text } => {
                let mut left = *x;
                for glyph in text.chars().filter_map(|c| Glyph::new(*face, c, *size)) {
                    self.write(&glyph, left, *y);
                    left += glyph.width;
                }
            }
        }
    }

    /// Draws a character at a place that may be between two dots.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)] // all within a page
    fn write(&mut self, glyph: &Glyph, left: f32, baseline: f32) {
        let (top, bottom) = glyph.rows();
        for row in (baseline + top).max(0.0) as u32..(baseline + bottom).max(0.0) as u32 {
            for column in left.max(0.0) as u32..(left + glyph.width).ceil().max(0.0) as u32 {
                let ink = glyph.ink(column as f32 + 0.5 - left, row as f32 + 0.5 - baseline);
                self.darken(column, row, 255 - (ink * 255.0).round() as u8);
            }
        }
    }
}
