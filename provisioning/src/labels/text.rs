//! Text that fits: what a font can't show is written otherwise, what is too long is shortened. Knows no page.

/// Which of a font's two cuts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// For reading.
    Regular,
    /// For the name.
    Bold,
}

/// What is to be known of a font to set text in it.
pub trait Font {
    /// The width of a character in ems; `None` if the font has none such.
    fn width(&self, face: Face, c: char) -> Option<f32>;
}

/// The text in characters that the font has: others are written in plain letters (Вода becomes Voda).
pub fn shown(font: &dyn Font, face: Face, text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        if c.is_control() || c.is_whitespace() {
            shown.push(' ');
        } else if font.width(face, c).is_some() {
            shown.push(c);
        } else {
            match any_ascii::any_ascii_char(c) {
                // A mark on the letter before can be left out; a letter must not get lost unseen.
                "" if c.is_alphanumeric() => shown.push('?'),
                plain => shown.push_str(plain),
            }
        }
    }
    shown.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The width of a text at a size.
pub fn width(font: &dyn Font, face: Face, text: &str, size: f32) -> f32 {
    text.chars().map(|c| font.width(face, c).unwrap_or(1.0)).sum::<f32>() * size
}

/// The text in at most `most` lines that are no wider than `room`, with an ellipsis if there is more of it.
pub fn lines(font: &dyn Font, text: &str, size: f32, room: f32, most: usize) -> Vec<String> {
    let fits = |line: &str| width(font, Face::Regular, line, size) <= room;
    let text = shown(font, Face::Regular, text);
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let mut lines = Vec::new();
    let mut rest = words.as_slice();
    while !rest.is_empty() && lines.len() < most {
        let last = lines.len() + 1 == most;
        // Of a word that is too long for a line there is nothing that could be put into the next.
        let count = (1..=rest.len()).rev().find(|n| fits(&rest[..*n].join(" "))).unwrap_or(0);
        if count == rest.len() || (count > 0 && !last) {
            lines.push(rest[..count].join(" "));
            rest = &rest[count..];
        } else {
            lines.push(shortened(font, &rest.join(" "), &fits));
            break;
        }
    }
    lines
}

fn shortened(font: &dyn Font, text: &str, fits: &dyn Fn(&str) -> bool) -> String {
    let ellipsis = shown(font, Face::Regular, "\u{2026}");
    let ends = text.char_indices().map(|(at, _)| at).rev();
    let cut = |at: usize| format!("{}{ellipsis}", text[..at].trim_end());
    ends.map(cut).find(|line| fits(line)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::{helvetica::Helvetica, raster::NotoMono};
    use super::*;

    #[test]
    fn what_a_font_has_not_is_written_in_plain_letters() {
        let helvetica = |text: &str| shown(&Helvetica, Face::Regular, text);
        assert_eq!(helvetica("Café – Bäckerei 5 €"), "Café – Bäckerei 5 €");
        assert_eq!(helvetica("Вода řeka Cafe\u{301}\n\t\u{7}x"), "Voda reka Cafe x");
        assert_eq!(helvetica("水池"), "ShuiChi");
        assert_eq!(shown(&NotoMono, Face::Regular, "Café – 5 €"), "Café - 5 EUR");
    }

    #[test]
    fn what_is_too_long_is_wrapped_and_then_shortened() {
        let set = |text: &str, room: f32, most| lines(&NotoMono, text, 10.0, room, most);
        assert_eq!(set("Pond 3", 60.0, 2), ["Pond 3"]);
        assert_eq!(set("Greenhouse 12 north", 65.0, 2), ["Greenhouse", "12 north"]);
        assert_eq!(set("Greenhouse 12 north side", 65.0, 2), ["Greenhouse", "12 nort..."]);
        assert_eq!(set("Greenhouses-and-ponds here", 65.0, 2), ["Greenho..."]);
        assert_eq!(set("Pond", 5.0, 2), [""]);
        assert_eq!(set(" ", 65.0, 2), Vec::<String>::new());
        let line = &lines(&Helvetica, "The second pond beside the old greenhouse", 10.0, 100.0, 1)[0];
        assert!(line.ends_with('\u{2026}') && width(&Helvetica, Face::Regular, line, 10.0) <= 100.0, "{line}");
    }
}
