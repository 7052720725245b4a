//! Noto Sans Mono as a picture of each character, at any size: PNG has no fonts of its own.

use super::text::{Face, Font};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, RasterizedChar, get_raster};

/// The width of every character, in ems.
const ADVANCE: f32 = 0.6;

/// Noto Sans Mono, regular and bold.
pub struct NotoMono;

impl Font for NotoMono {
    fn width(&self, face: Face, c: char) -> Option<f32> {
        raster(face, c).map(|_| ADVANCE)
    }
}

fn raster(face: Face, c: char) -> Option<RasterizedChar> {
    let weight = match face {
        Face::Regular => FontWeight::Regular,
        Face::Bold => FontWeight::Bold,
    };
    get_raster(c, weight, RasterHeight::Size32)
}

/// A character, ready to be drawn.
pub struct Glyph {
    raster: RasterizedChar,
    /// Points of the raster in one dot.
    step: f32,
    /// Rows of the raster above the baseline.
    above: f32,
    /// In dots.
    pub width: f32,
}

impl Glyph {
    /// The character at a size in dots.
    pub fn new(face: Face, c: char, size: f32) -> Option<Self> {
        let raster = raster(face, c)?;
        let columns = f32::from(u8::try_from(raster.width()).ok()?);
        let width = size * ADVANCE;
        Some(Self { raster, step: columns / width, above: baseline(face)?, width })
    }

    /// The dots below and above the baseline that it may reach.
    pub fn rows(&self) -> (f32, f32) {
        let rows = f32::from(u8::try_from(self.raster.height()).unwrap_or(u8::MAX));
        (-self.above / self.step, (rows - self.above) / self.step)
    }

    /// How much of a dot is ink, 0 to 1; from the left edge and the baseline, downwards.
    pub fn ink(&self, x: f32, y: f32) -> f32 {
        let (column, row) = (x * self.step - 0.5, y * self.step + self.above - 0.5);
        let (left, top) = (column.floor(), row.floor());
        let (right, bottom) = (column - left, row - top);
        let at = |dx: f32, dy: f32| self.point(left + dx, top + dy);
        let upper = at(0.0, 0.0) * (1.0 - right) + at(1.0, 0.0) * right;
        let lower = at(0.0, 1.0) * (1.0 - right) + at(1.0, 1.0) * right;
        let blurred = upper * (1.0 - bottom) + lower * bottom;
        // Enlarged, the edge would be as wide as the enlargement: it is narrowed to one dot again.
        ((blurred - 0.5) * (1.0 / self.step).max(1.0) + 0.5).clamp(0.0, 1.0)
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the raster ends long before
    fn point(&self, column: f32, row: f32) -> f32 {
        if column < 0.0 || row < 0.0 {
            return 0.0;
        }
        f32::from(self.raster.pixel(column as usize, row as usize).unwrap_or(0)) / 255.0
    }
}

/// Where the letters stand, which the font does not say: below the last row of an H.
fn baseline(face: Face) -> Option<f32> {
    let last = raster(face, 'H')?.rows().rposition(|row| row.iter().any(|ink| *ink > 127))?;
    Some(f32::from(u8::try_from(last + 1).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_stand_on_the_baseline_and_a_descender_goes_below() {
        let ink_below = |c| {
            let glyph = Glyph::new(Face::Regular, c, 60.0).unwrap();
            (0..36_u8).map(|x| glyph.ink(f32::from(x), 6.0)).sum::<f32>()
        };
        assert!(ink_below('H') < 0.1, "{}", ink_below('H'));
        assert!(ink_below('p') > 1.0);
    }

    #[test]
    fn an_enlarged_edge_is_as_narrow_as_a_dot() {
        let glyph = Glyph::new(Face::Bold, 'I', 300.0).unwrap();
        let grey = (0..180_u8).filter(|x| (0.05..0.95).contains(&glyph.ink(f32::from(*x), -100.0))).count();
        assert!(grey <= 6, "{grey}");
    }
}
