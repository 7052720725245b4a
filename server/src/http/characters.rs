//! Which characters no text of a request may hold, whatever it is for: one rule for bodies, parameters and paths. Knows no field
//! by its name.

use super::error::Problem;
use axum::http::StatusCode;
use serde_json::Value;

/// A control character that is neither a line feed nor a tab: PostgreSQL keeps no NUL, and nobody can read the others.
pub fn is_control(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t')
}

/// Refuses the first text of a JSON value that holds a control character.
///
/// # Errors
/// Its field, such as `targets[0].target`.
pub fn check_json(value: &Value) -> Result<(), Problem> {
    check_at(value, "")
}

fn check_at(value: &Value, path: &str) -> Result<(), Problem> {
    match value {
        Value::String(text) => check(path, text),
        Value::Array(all) => all.iter().enumerate().try_for_each(|(n, one)| check_at(one, &format!("{path}[{n}]"))),
        Value::Object(fields) => fields.iter().try_for_each(|(name, one)| {
            check(path, name)?;
            check_at(one, &if path.is_empty() { name.clone() } else { format!("{path}.{name}") })
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// Refuses a text that holds a control character.
///
/// # Errors
/// Its field.
pub fn check(field: &str, text: &str) -> Result<(), Problem> {
    let Some(bad) = text.chars().find(|c| is_control(*c)) else { return Ok(()) };
    let detail = format!("it holds the control character U+{:04X}: leave it out", u32::from(bad));
    // A value that is a text itself has no field.
    let field = if field.is_empty() { "body" } else { field };
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail).about(field))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn field(value: &Value) -> Option<String> {
        check_json(value)
            .err()
            .map(|problem| serde_json::to_value(problem).unwrap()["field"].as_str().unwrap().to_owned())
    }

    #[test]
    fn a_control_character_is_found_wherever_it_stands_and_lines_and_tabs_are_none() {
        assert_eq!(field(&json!({"text": "two\r\nlines,\tand é", "ids": [1, null, true]})), None);
        assert_eq!(field(&json!({"a": {"b": [{"c": "x"}, {"c": "x\0"}]}})).as_deref(), Some("a.b[1].c"));
        assert_eq!(field(&json!(["\u{1b}[2J"])).as_deref(), Some("[0]"));
        assert_eq!(field(&json!({"a": {"\u{7f}": 1}})).as_deref(), Some("a"));
        assert_eq!(field(&json!("\u{85}")).as_deref(), Some("body"));
    }
}
