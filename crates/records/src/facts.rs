//! Facts as they are recorded: the value, or why there is none.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use gatepost_mail::{ClientNames, Facts};
use gatepost_words::fact::Fact;

use super::draft::truncate;

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactRecord {
    /// Its name.
    pub name: String,
    /// Its value, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Why it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// All facts. The patterns name each field, so that a new fact does not compile until it is
/// recorded.
pub(super) fn records_of(facts: &Facts) -> Vec<FactRecord> {
    let Facts {
        recent_spam,
        client_names,
    } = facts;
    vec![
        record("recent_spam", recent_spam, |count| json!(count)),
        record("client_names", client_names, client_names_value),
    ]
}

fn client_names_value(client: &ClientNames) -> Value {
    let ClientNames {
        names,
        has_more,
        confirmed,
    } = client;
    let names: Vec<String> = names.iter().map(|name| truncate(name)).collect();
    let confirmed = record("confirmed", confirmed, |name| {
        json!(name.as_deref().map(truncate))
    });
    json!({
        "names": names,
        "has_more": has_more,
        "confirmed": confirmed.value,
        "confirmed_cause": confirmed.cause,
    })
}

fn record<T>(name: &str, fact: &Fact<T>, show: impl Fn(&T) -> Value) -> FactRecord {
    let (value, cause) = match fact {
        Fact::Known(value) => (Some(show(value)), None),
        Fact::Unknown(cause) => (None, Some(cause.to_string())),
    };
    FactRecord {
        name: name.to_owned(),
        value,
        cause,
    }
}
