//! The QR code of an address. Knows no page.

use super::LabelError;
use qrcode::{Color, EcLevel, QrCode};

/// White modules that a reader needs on each side.
pub const QUIET: u32 = 4;

/// A square of dark and light modules, without the quiet zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    side: usize,
    dark: Vec<bool>,
}

impl Code {
    /// The code of an address; a sixth of it may be scratched off.
    ///
    /// # Errors
    /// When it is longer than any code.
    pub fn new(address: &str) -> Result<Self, LabelError> {
        let refuse =
            |why: qrcode::types::QrError| LabelError::Code { address: address.to_owned(), why: why.to_string() };
        let code = QrCode::with_error_correction_level(address, EcLevel::M).map_err(refuse)?;
        let dark = code.to_colors().into_iter().map(|color| color == Color::Dark).collect();
        Ok(Self { side: code.width(), dark })
    }

    /// How many modules a side has, with the quiet zone.
    pub fn side(&self) -> u32 {
        u32::try_from(self.side).unwrap_or(u32::MAX).saturating_add(2 * QUIET)
    }

    /// Its dark places as rows of neighbouring modules: column, row, and how many; the quiet zone is counted in.
    pub fn runs(&self) -> impl Iterator<Item = (u32, u32, u32)> {
        self.dark.chunks(self.side.max(1)).zip(QUIET..).flat_map(|(modules, row)| {
            let mut column = QUIET;
            modules.chunk_by(|a, b| a == b).filter_map(move |run| {
                let (start, length) = (column, u32::try_from(run.len()).unwrap_or(0));
                column += length;
                run.first().is_some_and(|dark| *dark).then_some((start, row, length))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_begins_with_the_square_that_readers_look_for() {
        let code = Code::new("https://tirta.local:8443/claim/pi-7?serial=10000000a3c40011").unwrap();
        let mut runs = code.runs();
        assert_eq!(runs.next(), Some((4, 4, 7)));
        let dark: u32 = code.runs().map(|(_, _, length)| length).sum();
        assert_eq!(usize::try_from(dark).unwrap(), code.dark.iter().filter(|dark| **dark).count());
        assert!(code.runs().all(|(column, row, length)| column + length <= code.side() - 4 && row < code.side() - 4));
    }

    #[test]
    fn what_is_too_long_for_a_code_is_refused() {
        assert!(matches!(Code::new(&"a".repeat(4000)), Err(LabelError::Code { .. })));
    }
}
