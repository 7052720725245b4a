//! What the server's API says about expected devices: a spreadsheet in and out, and ranges of names. Knows no terminal.

use crate::client::{Client, ClientError, refusal, unreadable};
use crate::connect::PATIENCE;
use hyper::{Method, body::Bytes};
use serde::{Deserialize, Serialize};

/// What is expected under a name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Registration {
    /// The name that the device gets.
    pub name: String,
    /// The serial of its board, if that is known.
    pub serial: Option<String>,
    /// Where it stands.
    pub location: String,
}

/// Names to reserve.
#[derive(Debug, Clone, Serialize)]
pub struct NewRange {
    /// The first number.
    pub from: u32,
    /// The last number.
    pub to: u32,
    /// Where all of them will stand.
    pub location: String,
}

/// What became of a range.
#[derive(Debug, Clone, Deserialize)]
pub struct ReservedRange {
    /// How many names are reserved now that were not before.
    pub reserved: usize,
    /// Names that were registered or had enrolled already.
    pub taken: Vec<String>,
}

/// What becomes of each line of a spreadsheet.
#[derive(Debug, Clone, Deserialize)]
pub struct ImportPlan {
    /// Whether it was done.
    pub imported: bool,
    /// How many lines are new.
    pub created: usize,
    /// How many change something.
    pub changed: usize,
    /// How many say what is known.
    pub unchanged: usize,
    /// How many can't be taken.
    pub refused: usize,
    /// Headings that mean nothing.
    pub unknown_columns: Vec<String>,
    /// In the order of the file.
    pub lines: Vec<ImportLine>,
}

/// What becomes of one line.
#[derive(Debug, Clone, Deserialize)]
pub struct ImportLine {
    /// Its number in the file.
    pub line: u64,
    /// `created`, `changed`, `unchanged` or `refused`.
    pub verdict: String,
    /// The name; as it is written if the line is refused.
    pub name: String,
    /// The serial.
    pub serial: String,
    /// The fields that change.
    pub changes: Vec<FieldChange>,
    /// Why it is refused.
    pub problems: Vec<LineProblem>,
}

/// A field that changes.
#[derive(Debug, Clone, Deserialize)]
pub struct FieldChange {
    /// Which.
    pub field: String,
    /// What it was.
    pub from: String,
    /// What it will be.
    pub to: String,
}

/// Something wrong with a line.
#[derive(Debug, Clone, Deserialize)]
pub struct LineProblem {
    /// The column at fault.
    pub field: Option<String>,
    /// What is wrong and what to do.
    pub detail: String,
}

impl Client {
    /// Sends a spreadsheet of registrations; `dry_run` only says what would happen. Lines that are refused are no
    /// error here: they stand in the plan, and nothing was imported.
    ///
    /// # Errors
    /// When the file can't be read at all, the server refuses or does not answer.
    pub async fn import(&self, file: Vec<u8>, dry_run: bool) -> Result<ImportPlan, ClientError> {
        #[derive(Deserialize)]
        struct Refused {
            plan: ImportPlan,
        }
        let path = format!("/api/v1/registrations/import?dry_run={dry_run}");
        let answer = self.send(Method::POST, &path, Some(("text/csv", Bytes::from(file))), PATIENCE).await?;
        let plan = match answer.status().as_u16() {
            200 => serde_json::from_slice(answer.body()),
            422 => serde_json::from_slice::<Refused>(answer.body()).map(|refused| refused.plan),
            _ => return Err(refusal(&answer)),
        };
        plan.map_err(|e| unreadable(&path, e))
    }

    /// All registrations, in the order of their numbers.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn registrations(&self) -> Result<Vec<Registration>, ClientError> {
        #[derive(Deserialize)]
        struct Registrations {
            registrations: Vec<Registration>,
        }
        Ok(self.json::<Registrations>(Method::GET, "/api/v1/registrations", None).await?.registrations)
    }

    /// All registrations as a spreadsheet.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn export(&self) -> Result<Bytes, ClientError> {
        Ok(self.ask(Method::GET, "/api/v1/registrations/export", None, PATIENCE).await?.into_body())
    }

    /// Reserves the names `pi-from` to `pi-to` for boards that are not known yet.
    ///
    /// # Errors
    /// When the range is none, the server refuses or does not answer.
    pub async fn reserve(&self, range: &NewRange) -> Result<ReservedRange, ClientError> {
        let body = serde_json::to_string(range).map_err(|e| unreadable("range", e))?;
        self.json(Method::POST, "/api/v1/registrations/range", Some(body)).await
    }
}
