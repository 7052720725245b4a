//! Sheets of labels for the printer: what stands on a label, how many go on a page, PDF or PNG. Knows no server.

mod choose;
mod code;
mod helvetica;
mod layout;
mod pdf;
mod png;
mod raster;
mod text;

pub use choose::{Names, matching};
pub use layout::{Grid, Paper};

use crate::registrations::Registration;

/// Why there is no sheet.
#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    /// What can be read with a phone does not fit.
    #[error(
        "--columns, --rows: a label of {width_mm} x {height_mm} mm is too small for that of {name}: {what}; use fewer of them"
    )]
    TooSmall {
        /// Whose label.
        name: String,
        /// Of a label.
        width_mm: u32,
        /// Of a label.
        height_mm: u32,
        /// What does not fit.
        what: String,
    },
    /// The address is too long for any code.
    #[error("the code for {address:?}: {why}")]
    Code {
        /// What it should hold.
        address: String,
        /// What is wrong with it.
        why: String,
    },
    /// The picture.
    #[error("the picture: {0}")]
    Picture(#[from] ::png::EncodingError),
}

/// What stands on one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The device's name, in large type.
    pub name: String,
    /// Its serial, if it is registered.
    pub serial: Option<String>,
    /// Where it stands.
    pub location: String,
    /// What a phone finds in the code.
    pub claim: String,
}

impl Label {
    /// The label of a registration, for the server at `address`.
    pub fn new(registration: &Registration, address: &str) -> Self {
        let Registration { name, serial, location } = registration.clone();
        let query = serial.as_ref().map(|serial| format!("?serial={serial}")).unwrap_or_default();
        let claim = format!("{}/claim/{name}{query}", address.trim_end_matches('/'));
        Self { name, serial, location, claim }
    }
}

/// All labels as a PDF.
///
/// # Errors
/// When a label has no room for what must be on it.
pub fn pdf(labels: &[Label], grid: &Grid) -> Result<Vec<u8>, LabelError> {
    Ok(pdf::file(&layout::pages(labels, grid, &helvetica::Helvetica)?, grid))
}

/// All labels as PNG files of 300 dpi, one a page.
///
/// # Errors
/// When a label has no room for what must be on it.
pub fn png(labels: &[Label], grid: &Grid) -> Result<Vec<Vec<u8>>, LabelError> {
    let pages = layout::pages(labels, grid, &raster::NotoMono)?;
    pages.iter().map(|page| png::file(page, grid).map_err(LabelError::from)).collect()
}
