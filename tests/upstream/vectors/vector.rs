//! A line of the recording.

use std::fmt::Debug;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Nothing where core answers as urllib3 did, else how it differs.
pub(crate) type Answer = Result<(), String>;

/// What was asked, and what urllib3 answered.
pub(crate) struct Vector(Value);

impl Vector {
    pub(crate) const fn new(line: Value) -> Self {
        Self(line)
    }

    /// The test that asked, and what it asked for.
    pub(crate) fn name(&self) -> &str {
        self.field("name").as_str().unwrap_or_default()
    }

    /// The test module that asked.
    pub(crate) fn module(&self) -> &str {
        self.field("module").as_str().unwrap_or_default()
    }

    /// Why core answers otherwise; `None` where it must not.
    pub(crate) fn difference(&self) -> Option<&str> {
        self.field("difference").as_str()
    }

    /// A part of it; `null` where there is none.
    pub(crate) fn field(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or(&Value::Null)
    }

    /// A part of it that is a text.
    pub(crate) fn text(&self, name: &str) -> Result<&str, String> {
        text(self.field(name))
            .ok_or_else(|| format!("{name} is no text that a component can be given"))
    }

    /// A part of it that is a list.
    pub(crate) fn list(&self, name: &str) -> &[Value] {
        list(self.field(name))
    }
}

pub(crate) fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

/// The elements of a list; none where it is no list.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A list of names and values.
pub(crate) fn pairs(value: &Value) -> Vec<(String, String)> {
    let element = |pair: &Value, at| text(&pair[at]).unwrap_or_default().to_owned();
    list(value)
        .iter()
        .map(|pair| (element(pair, 0), element(pair, 1)))
        .collect()
}

/// The bytes of a text in base64.
pub(crate) fn bytes(value: &Value) -> Result<Vec<u8>, String> {
    let text = text(value).ok_or("no base64")?;
    STANDARD.decode(text).map_err(|error| error.to_string())
}

/// Whether these are the bytes that `expected` tells, as they are or by their hash.
pub(crate) fn same_bytes(expected: &Value, ours: &[u8]) -> Answer {
    let is_same = if expected["sha256"].is_string() {
        let hash: String = Sha256::digest(ours)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        expected["sha256"] == hash
    } else {
        bytes(&expected["base64"])? == ours
    };
    if is_same {
        return Ok(());
    }
    Err(format!("{expected}, but {}", ours.escape_ascii()))
}

/// Whether both are the same.
pub(crate) fn same<T: Debug + PartialEq + ?Sized>(what: &str, expected: &T, ours: &T) -> Answer {
    if expected == ours {
        Ok(())
    } else {
        Err(format!("{what} is {expected:?}, but {ours:?}"))
    }
}
