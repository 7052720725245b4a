//! The words of the wire contract as OpenAPI schemas, taken from `shared` itself, so that the document and the
//! dashboard's types can't fall behind. Nothing here exists at run time but for the document.

use crate::{alert, audit::Act};
use std::borrow::Cow;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, schema::Type};
use utoipa::{PartialSchema, ToSchema};

const DEVICE_NAME: &str = "^(?!tirta)[a-z]([a-z0-9-]{0,30}[a-z0-9])?$";
const SERIAL: &str = r"^\s*(?!0+\s*$)([0-9A-Fa-f]{8}|[0-9A-Fa-f]{16})\s*$";
const RECORD_ID: &str = "^[0-9A-Fa-f]{16}$";
const USER_NAME: &str = "^(?!(device|intake|rule|server|visitor)$)[a-z][a-z0-9_-]{1,31}$";
const EMAIL: &str = r"^\s*(?!\S{255})[^\s@\x00-\x1F\x7F-\x9F]+@[^\s@\x00-\x1F\x7F-\x9F]+\s*$";
const DISPLAY_NAME: &str = r"^\s*([^\s\x00-\x1F\x7F-\x9F]([^\x00-\x1F\x7F-\x9F]{0,78}[^\s\x00-\x1F\x7F-\x9F])?)?\s*$";

/// A string that is one of the words given.
fn one_of(about: &str, words: impl IntoIterator<Item = &'static str>) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).description(Some(about)).enum_values(Some(words)).into()
}

/// A string of one or more of the words given, with a comma between.
fn some_of(about: &str, words: impl IntoIterator<Item = &'static str>) -> RefOr<Schema> {
    let any = words.into_iter().map(|word| word.replace('.', "\\.")).collect::<Vec<_>>().join("|");
    formed(about, format!("^({any})(,({any}))*$"))
}

/// A string of a form.
fn formed(about: &str, pattern: impl Into<String>) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).description(Some(about)).pattern(Some(pattern)).into()
}

macro_rules! words {
    ($($name:ident, $about:literal, $form:ident $words:expr;)*) => {$(
        #[doc = $about]
        #[derive(Debug)]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $form($about, $words)
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}

words! {
    Metric, "A measured quantity.", one_of shared::Metric::ALL.iter().map(|m| m.as_str());
    Unit, "The symbol of a unit of measurement.", one_of shared::Metric::ALL.iter().map(|m| m.unit().symbol());
    Fault, "Why a probe delivered no value.", one_of shared::Fault::ALL.iter().map(|f| f.as_str());
    Flag, "One thing to know before trusting a value.", one_of shared::Flag::ALL.iter().map(|f| f.as_str());
    ClockQuality, "How far an instant can be trusted.", one_of {
        use shared::ClockQuality::{Repaired, Synced, Unsynced};
        [Synced, Repaired, Unsynced].map(shared::ClockQuality::as_str)
    };
    Buffers, "A set of pH buffers.", one_of ["technical", "nist"];
    Severity, "How bad something is.", one_of ["warning", "critical"];
    Via, "Where somebody calibrated.", one_of ["dashboard", "device"];
    Metrics, "One or more metrics, with a comma between.", some_of shared::Metric::ALL.iter().map(|m| m.as_str());
    Severities, "One or more of `warning` and `critical`, with a comma between.", some_of ["warning", "critical"];
    AlertStates, "One or more states of alerts, with a comma between.", some_of alert::State::ALL.iter().map(|s| s.as_str());
    AlertSources, "One or more sources of alerts, with a comma between.", some_of alert::Source::ALL.iter().map(|s| s.as_str());
    AlertKinds, "One or more kinds of alerts, with a comma between.", some_of alert::Kind::ALL.iter().map(|k| k.as_str());
    AuditActs, "One or more kinds of entries, with a comma between.", some_of Act::ALL.iter().map(|act| act.as_str());
    DeviceName, "The name of a device: 1 to 32 of a-z, 0-9 and '-', a letter first, not '-' last, not beginning with `tirta`.",
        formed DEVICE_NAME;
    Serial, "The serial of a board: 8 or 16 hexadecimal digits, not all zero.", formed SERIAL;
    RecordId, "The id of a calibration, or of a session in which one is made: 16 hexadecimal digits.", formed RECORD_ID;
    ShortId, "What the server calls a token, a key, an invitation or a board that waits: 12 letters, digits, '-' and '_'.",
        formed "^[A-Za-z0-9_-]{12}$";
    SessionId, "What the server calls a session: 16 hexadecimal digits.", formed "^[0-9a-f]{16}$";
    UserName, "The name of an account: 2 to 32 of a-z, 0-9, '-' and '_', a letter first, and none that the audit log calls others by.",
        formed USER_NAME;
    Email, "An e-mail address.", formed EMAIL;
    DisplayName, "What others call a person: at most 80 characters on one line.", formed DISPLAY_NAME;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::person;

    /// What `pattern` says of a text, by the library that the document's examples are checked with.
    fn takes(pattern: &str, text: &str) -> bool {
        jsonschema::is_valid(&serde_json::json!({"pattern": pattern}), &serde_json::json!(text))
    }

    #[test]
    fn the_forms_in_the_document_are_those_that_are_enforced() {
        let long = "a".repeat(32);
        let longer = "a".repeat(33);
        let names = [
            "pi-7",
            "a",
            "tirta",
            "tirta-1",
            "tirt",
            "-a",
            "a-",
            "a-b",
            "7",
            "A",
            "",
            "a\n",
            &long,
            &longer,
            "kolam ikan",
        ];
        for name in names {
            assert_eq!(takes(DEVICE_NAME, name), name.parse::<shared::DeviceName>().is_ok(), "{name:?}");
        }
        for serial in [
            "10000000deadbeef",
            "DEADBEEF",
            "deadbee",
            "0000000000000000",
            "00000000",
            "+0000001",
            " deadbeef\n",
            "",
            "g0000000",
        ] {
            assert_eq!(takes(SERIAL, serial), serial.parse::<shared::Serial>().is_ok(), "{serial:?}");
        }
        for id in
            ["00c0ffee00c0ffee", "00C0FFEE00C0FFEE", "00c0ffee00c0ffe", "+0c0ffee00c0ffee", "", "0000000000000000"]
        {
            assert_eq!(takes(RECORD_ID, id), id.parse::<shared::calibration::RecordId>().is_ok(), "{id:?}");
        }
    }

    #[test]
    fn a_person_is_called_and_reached_in_the_document_as_it_is_enforced() {
        let long = |length: usize| "a".repeat(length);
        for name in ["siti", "s1", "s", "1s", "s-_", "Siti", "visitor", "visitors", "", &long(32), &long(33)] {
            assert_eq!(takes(USER_NAME, name), person::valid_name(name).is_ok(), "{name:?}");
        }
        let (most, more) = (long(252) + "@b", long(253) + "@b");
        for email in
            ["siti@example.org", " Siti@Example.org\n", "a@b@c", "@b", "a@", "a b@c", "a\0@b", "", &most, &more]
        {
            assert_eq!(takes(EMAIL, email), person::valid_email(email).is_ok(), "{email:?}");
        }
        for name in ["Pak Tono 💧", " x ", "", "  ", "two\nlines", "a\tb", &long(80), &long(81), &"é".repeat(80)] {
            let taken = person::valid_display_name("name", name).is_ok();
            assert_eq!(takes(DISPLAY_NAME, name), taken, "{name:?}");
        }
    }
}
