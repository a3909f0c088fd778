//! Does a value fit its key? One function for files and for the environment.

use serde_json::Value;

use super::keys::Kind;
use super::units;
use gatepost_words::SocketAddress;

/// Characters of the longest text; entries of the longest list.
pub(super) const TEXT_MAX: usize = 4_096;
/// Entries of the longest list.
pub(super) const LIST_MAX: usize = 10_000;

/// Why a value does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// It is of another type; what it is, in words.
    Type(&'static str),
    /// It is of the right type and outside the range.
    Range,
    /// It is of the right type and not well-formed; what to write instead.
    Form(String),
    /// It is none of the words; the words.
    Choice(&'static [&'static str]),
}

/// Checks a value against the kind of its key.
pub(super) fn check(kind: Kind, value: &Value) -> Result<(), Problem> {
    let wrong = || Problem::Type(type_name(value));
    match kind {
        Kind::Boolean => value.as_bool().map(|_| ()).ok_or_else(wrong),
        Kind::Integer(min, max) => within(&value.as_i64().ok_or_else(wrong)?, &min, &max),
        Kind::Points(min, max) => within(&value.as_f64().ok_or_else(wrong)?, &min, &max),
        Kind::Size(min, max) => within(&read_size(value)?, &min, &max),
        Kind::Duration(min, max) => {
            // A bare number is the one mistake that everybody makes: say what to write.
            let text = match value {
                Value::Number(number) => number.to_string(),
                other => other.as_str().ok_or_else(wrong)?.to_owned(),
            };
            within(&units::duration(&text).map_err(Problem::Form)?, &min, &max)
        }
        Kind::List => list(value),
        Kind::Servers => servers(value),
        Kind::Text | Kind::Path | Kind::Name | Kind::Socket | Kind::Mode | Kind::Choice(_) => {
            text(kind, value.as_str().ok_or_else(wrong)?)
        }
    }
}

/// The bytes that a size stands for.
pub(super) fn read_size(value: &Value) -> Result<u64, Problem> {
    if value.is_i64() || value.is_u64() {
        return value.as_u64().ok_or(Problem::Range);
    }
    let text = value
        .as_str()
        .ok_or_else(|| Problem::Type(type_name(value)))?;
    units::size(text).map_err(Problem::Form)
}

fn text(kind: Kind, text: &str) -> Result<(), Problem> {
    if text.len() > TEXT_MAX || text.chars().any(char::is_control) {
        return Err(Problem::Form(format!(
            "a text has at most {TEXT_MAX} bytes and no control characters"
        )));
    }
    match kind {
        Kind::Name => {
            let good = (1..=32).contains(&text.len())
                && text.bytes().all(|b| {
                    b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_'
                });
            if good {
                Ok(())
            } else {
                Err(Problem::Form(format!("write {}", kind.describe())))
            }
        }
        Kind::Socket => text
            .parse::<SocketAddress>()
            .map(|_| ())
            .map_err(|invalid| Problem::Form(invalid.to_string())),
        Kind::Mode => {
            let help =
                || Problem::Form("write three or four octal digits, such as \"0660\"".to_owned());
            units::mode(text).map(|_| ()).ok_or_else(help)
        }
        Kind::Choice(words) if !words.contains(&text) => Err(Problem::Choice(words)),
        _ => Ok(()),
    }
}

fn list(value: &Value) -> Result<(), Problem> {
    let entries = value
        .as_array()
        .ok_or_else(|| Problem::Type(type_name(value)))?;
    if entries.len() > LIST_MAX {
        return Err(Problem::Form(format!(
            "a list has at most {LIST_MAX} entries"
        )));
    }
    for entry in entries {
        let Some(entry) = entry.as_str() else {
            return Err(Problem::Type("a list of something else"));
        };
        if entry.is_empty() {
            return Err(Problem::Form("leave the empty entry out".to_owned()));
        }
        text(Kind::Text, entry)?;
    }
    Ok(())
}

fn servers(value: &Value) -> Result<(), Problem> {
    list(value)?;
    for entry in value.as_array().into_iter().flatten() {
        let text = entry.as_str().unwrap_or_default();
        if units::server(text, 1).is_none() {
            let help = "write an IP address, or ADDRESS:PORT; host names are not looked up";
            return Err(Problem::Form(help.to_owned()));
        }
    }
    Ok(())
}

fn within<T: PartialOrd>(value: &T, min: &T, max: &T) -> Result<(), Problem> {
    // Written so that not-a-number is outside.
    if value >= min && value <= max {
        Ok(())
    } else {
        Err(Problem::Range)
    }
}

/// The type of a value, in words.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "not a finite number",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "a whole number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}

/// Reads the text of an environment variable as the kind of its key wants it. What cannot be read
/// stays a text, and [`check`] then says that it is one.
pub(super) fn from_variable(kind: Kind, text: &str) -> Value {
    let text = text.trim();
    let number = |value: Option<Value>| value.unwrap_or_else(|| Value::from(text));
    match kind {
        Kind::Boolean => match text {
            "true" => Value::from(true),
            "false" => Value::from(false),
            _ => Value::from(text),
        },
        Kind::Integer(..) => number(text.parse::<i64>().ok().map(Value::from)),
        Kind::Points(..) => number(
            text.parse::<f64>()
                .ok()
                .filter(|points| points.is_finite())
                .map(Value::from),
        ),
        Kind::List | Kind::Servers => text
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .collect(),
        _ => Value::from(text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ranges_at_n_and_n_plus_one() {
        for (kind, value, fits) in [
            (Kind::Integer(0, 1024), json!(1024), true),
            (Kind::Integer(0, 1024), json!(1025), false),
            (Kind::Integer(0, 1024), json!(-1), false),
            (Kind::Points(0.0, 10.0), json!(10), true),
            (Kind::Points(0.0, 10.0), json!(10.001), false),
            (Kind::Size(1, 1024), json!("1KiB"), true),
            (Kind::Size(1, 1024), json!(1025), false),
            (Kind::Size(1, 1024), json!(-1), false),
            (Kind::Duration(0, 20_000), json!("20s"), true),
            (Kind::Duration(0, 20_000), json!("20001ms"), false),
        ] {
            let expected = if fits { Ok(()) } else { Err(Problem::Range) };
            assert_eq!(check(kind, &value), expected, "{kind:?} {value}");
        }
        for (length, fits) in [(LIST_MAX, true), (LIST_MAX + 1, false)] {
            assert_eq!(check(Kind::List, &json!(vec!["x"; length])).is_ok(), fits);
        }
        for (length, fits) in [(TEXT_MAX, true), (TEXT_MAX + 1, false)] {
            assert_eq!(check(Kind::Text, &json!("x".repeat(length))).is_ok(), fits);
        }
        for (length, fits) in [(0, false), (1, true), (32, true), (33, false)] {
            assert_eq!(check(Kind::Name, &json!("x".repeat(length))).is_ok(), fits);
        }
    }

    #[test]
    fn types() {
        for (kind, value, name) in [
            (Kind::Boolean, json!("true"), "a text"),
            (Kind::Integer(0, 9), json!(1.5), "a number with a fraction"),
            (Kind::Points(0.0, 9.0), json!("5"), "a text"),
            (Kind::Text, json!(5), "a whole number"),
            (Kind::List, json!("a"), "a text"),
            (Kind::List, json!([1]), "a list of something else"),
            (Kind::Size(0, 9), json!(true), "a boolean"),
            (Kind::Duration(0, 9), json!([]), "a list"),
        ] {
            assert_eq!(
                check(kind, &value),
                Err(Problem::Type(name)),
                "{kind:?} {value}"
            );
        }
    }

    #[test]
    fn variables_are_read_as_their_key_wants() {
        assert_eq!(from_variable(Kind::Boolean, "false"), json!(false));
        assert_eq!(from_variable(Kind::Text, "false"), json!("false"));
        assert_eq!(from_variable(Kind::Name, "123"), json!("123"));
        assert_eq!(from_variable(Kind::Points(0.0, 9.0), "6.5"), json!(6.5));
        assert_eq!(from_variable(Kind::List, "a, b,,c"), json!(["a", "b", "c"]));
        assert_eq!(from_variable(Kind::Integer(0, 9), "many"), json!("many"));
    }
}
