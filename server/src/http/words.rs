//! The words of the wire contract as OpenAPI schemas, taken from `shared` itself, so that the document and the
//! dashboard's types can't fall behind. Nothing here exists at run time but for the document.

use std::borrow::Cow;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, schema::Type};
use utoipa::{PartialSchema, ToSchema};

/// A string that is one of the words given.
fn one_of(about: &str, words: impl IntoIterator<Item = &'static str>) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).description(Some(about)).enum_values(Some(words)).into()
}

macro_rules! words {
    ($($name:ident, $about:literal, $words:expr;)*) => {$(
        #[doc = $about]
        #[derive(Debug)]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                one_of($about, $words)
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
    Metric, "A measured quantity.", shared::Metric::ALL.iter().map(|m| m.as_str());
    Unit, "The symbol of a unit of measurement.", shared::Metric::ALL.iter().map(|m| m.unit().symbol());
    Fault, "Why a probe delivered no value.", shared::Fault::ALL.iter().map(|f| f.as_str());
    Flag, "One thing to know before trusting a value.", shared::Flag::ALL.iter().map(|f| f.as_str());
    ClockQuality, "How far an instant can be trusted.", {
        use shared::ClockQuality::{Repaired, Synced, Unsynced};
        [Synced, Repaired, Unsynced].map(shared::ClockQuality::as_str)
    };
    Buffers, "A set of pH buffers.", ["technical", "nist"];
    Severity, "How bad something is.", ["warning", "critical"];
    Via, "Where somebody calibrated.", ["dashboard", "device"];
}
