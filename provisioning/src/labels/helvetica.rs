//! The built-in Helvetica of PDF: how wide its characters are, and the bytes (WinAnsi) that stand for them.

use super::text::{Face, Font};

/// Widths in thousandths of an em, from the font's own metrics: the characters 32 to 126.
#[rustfmt::skip]
const REGULAR: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];
/// The same of the bold cut.
#[rustfmt::skip]
const BOLD: [u16; 95] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611,
    975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556,
    333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611,
    611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
];
/// Regular, the characters 160 to 255.
#[rustfmt::skip]
const LATIN: [u16; 96] = [
    278, 333, 556, 556, 556, 556, 260, 556, 333, 737, 370, 556, 584, 333, 737, 333,
    400, 584, 333, 333, 333, 556, 537, 278, 333, 333, 365, 556, 834, 834, 834, 611,
    667, 667, 667, 667, 667, 667, 1000, 722, 667, 667, 667, 667, 278, 278, 278, 278,
    722, 722, 778, 778, 778, 778, 778, 584, 778, 722, 722, 722, 722, 667, 667, 611,
    556, 556, 556, 556, 556, 556, 889, 500, 556, 556, 556, 556, 278, 278, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 584, 611, 556, 556, 556, 556, 500, 556, 500,
];
/// What WinAnsi has where Latin-1 has control characters: the byte, the character, its width in regular.
const WINDOWS: [(u8, char, u16); 27] = [
    (128, '\u{20ac}', 556),
    (130, '\u{201a}', 222),
    (131, '\u{0192}', 556),
    (132, '\u{201e}', 333),
    (133, '\u{2026}', 1000),
    (134, '\u{2020}', 556),
    (135, '\u{2021}', 556),
    (136, '\u{02c6}', 333),
    (137, '\u{2030}', 1000),
    (138, '\u{0160}', 667),
    (139, '\u{2039}', 333),
    (140, '\u{0152}', 1000),
    (142, '\u{017d}', 611),
    (145, '\u{2018}', 222),
    (146, '\u{2019}', 222),
    (147, '\u{201c}', 333),
    (148, '\u{201d}', 333),
    (149, '\u{2022}', 350),
    (150, '\u{2013}', 556),
    (151, '\u{2014}', 1000),
    (152, '\u{02dc}', 333),
    (153, '\u{2122}', 1000),
    (154, '\u{0161}', 500),
    (155, '\u{203a}', 333),
    (156, '\u{0153}', 944),
    (158, '\u{017e}', 500),
    (159, '\u{0178}', 667),
];

/// Helvetica and Helvetica-Bold. Only plain letters are set in bold: names have no others.
pub struct Helvetica;

impl Font for Helvetica {
    fn width(&self, face: Face, c: char) -> Option<f32> {
        let code = usize::try_from(u32::from(c)).ok()?;
        let thousandths = match (face, code) {
            (Face::Regular, 32..=126) => REGULAR.get(code - 32).copied(),
            (Face::Bold, 32..=126) => BOLD.get(code - 32).copied(),
            (Face::Regular, 160..=255) => LATIN.get(code - 160).copied(),
            (Face::Regular, _) => WINDOWS.iter().find(|(_, own, _)| *own == c).map(|(_, _, width)| *width),
            (Face::Bold, _) => None,
        };
        thousandths.map(|width| f32::from(width) / 1000.0)
    }
}

/// The bytes that show a text.
pub fn bytes(text: &str) -> Vec<u8> {
    let byte = |c: char| match u32::from(c) {
        code @ (32..=126 | 160..=255) => u8::try_from(code).unwrap_or(b'?'),
        _ => WINDOWS.iter().find(|(_, own, _)| *own == c).map_or(b'?', |(byte, _, _)| *byte),
    };
    text.chars().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_byte_a_character() {
        assert_eq!(bytes("aé€\u{2026}~"), [b'a', 0xe9, 0x80, 0x85, b'~']);
    }

    #[test]
    fn each_character_has_the_width_of_the_font() {
        let thousandths = |face, c| Helvetica.width(face, c).map(|ems| (ems * 1000.0).round());
        assert_eq!(thousandths(Face::Regular, 'W'), Some(944.0));
        assert_eq!(thousandths(Face::Bold, '-'), Some(333.0));
        assert_eq!(thousandths(Face::Bold, 'p'), Some(611.0));
        assert_eq!(thousandths(Face::Regular, 'ä'), thousandths(Face::Regular, 'a'));
        assert_eq!(thousandths(Face::Regular, '\u{81}'), None);
        assert_eq!(thousandths(Face::Regular, 'ř'), None);
    }
}
