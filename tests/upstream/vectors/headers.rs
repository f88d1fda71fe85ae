//! Header fields: made by `make_headers`, and edited as in `HTTPHeaderDict`.

use serde_json::Value;
use urlpool_core::policy::make_headers::{
    AcceptEncoding, CredentialsEncoding, MakeHeaders, make_headers,
};
use urlpool_core::types::{Header, Headers};

use crate::vector::{Answer, Vector, list, pairs, same, text};

type Pairs = Vec<(String, String)>;

/// What `make_headers` makes.
pub(crate) fn made(vector: &Vector) -> Answer {
    let asked = vector.field("asked");
    let text = |name: &str| text(&asked[name]).map(str::to_owned);
    let encoding = |name: &str| match text(name).as_deref() {
        None | Some("latin-1") => Ok(CredentialsEncoding::Latin1),
        Some("utf-8") => Ok(CredentialsEncoding::Utf8),
        Some(other) => Err(format!("no encoding {other:?}")),
    };
    let codings = &asked["accept_encoding"];
    let accept_encoding = if *codings == true {
        Some(AcceptEncoding::All)
    } else {
        let codings = list(codings).iter().filter_map(Value::as_str);
        let codings: Vec<String> = codings.map(str::to_owned).collect();
        (!codings.is_empty()).then_some(AcceptEncoding::Listed(codings))
    };
    let ours = make_headers(MakeHeaders {
        keep_alive: asked["keep_alive"] == true,
        accept_encoding,
        user_agent: text("user_agent"),
        basic_auth: text("basic_auth"),
        proxy_basic_auth: text("proxy_basic_auth"),
        disable_cache: asked["disable_cache"] == true,
        basic_auth_encoding: encoding("basic_auth_encoding")?,
        proxy_basic_auth_encoding: encoding("proxy_basic_auth_encoding")?,
    });
    let expected = vector.field("expected");
    let expected = (!expected.is_null()).then(|| pairs(expected));
    same("made", &expected, &ours.ok().map(|headers| lines(&headers)))
}

/// What a method of `HTTPHeaderDict` does, says and leaves behind.
pub(crate) fn edited(vector: &Vector) -> Answer {
    let mut headers = headers(&pairs(vector.field("before")))?;
    let arguments = vector.list("arguments");
    let argument = |at: usize| arguments.get(at).and_then(text).unwrap_or_default();
    let name = argument(0);
    let given = pairs(vector.field("arguments"));
    let expected = vector.field("expected");
    let is_found = vector.field("error").is_null();
    match vector.text("call")? {
        "init" | "extend" | "ior" => headers.extend(self::headers(&given)?),
        "update" => {
            for header in self::headers(&given)? {
                headers.set(header);
            }
        }
        "or" => {
            let mut united = headers.clone();
            united.extend(self::headers(&given)?);
            same("union", &pairs(expected), &lines(&united))?;
        }
        "ror" => {
            let mut united = self::headers(&given)?;
            united.extend(headers.clone());
            same("union", &pairs(expected), &lines(&united))?;
        }
        "eq" => same(
            "equality",
            expected,
            &headers.is_equivalent(&self::headers(&given)?).into(),
        )?,
        "ne" => same(
            "difference",
            expected,
            &(!headers.is_equivalent(&self::headers(&given)?)).into(),
        )?,
        "getitem" => same("value", expected, &joined(&headers, name))?,
        "pop" => {
            // A default that comes back is no value.
            if is_found {
                same("value", expected, &joined(&headers, name))?;
            }
            same(
                "taken",
                &(is_found && !expected.is_null()),
                &headers.remove_all(name),
            )?;
        }
        "delitem" => same("deleted", &is_found, &headers.remove_all(name))?,
        "discard" => {
            headers.remove_all(name);
        }
        "contains" => same("presence", expected, &headers.has(name).into())?,
        "getlist" => {
            let all: Vec<String> = headers.all(name).map(latin1).collect();
            same("values", expected, &all.into())?;
        }
        "setitem" => headers.set(header(name, argument(1))?),
        "add" if arguments.get(2) == Some(&Value::Bool(true)) => {
            headers.add_combined(header(name, argument(1))?);
        }
        "add" => headers.add(header(name, argument(1))?),
        "setdefault" => {
            headers.set_default(header(name, argument(1))?);
            same("value", expected, &joined(&headers, name))?;
        }
        "len" => same("length", expected, &headers.merged().count().into())?,
        "repr" => {
            let merged = headers.merged();
            let shown: Vec<String> = merged
                .map(|(name, value)| format!("'{name}': '{}'", latin1(&value)))
                .collect();
            let shown = format!("HTTPHeaderDict({{{}}})", shown.join(", "));
            same("representation", expected, &shown.into())?;
        }
        "items" | "copy" => same("lines", &pairs(expected), &lines(&headers.clone()))?,
        other => return Err(format!("nothing is known of {other:?}")),
    }
    same(
        "what is left",
        &pairs(vector.field("after")),
        &lines(&headers),
    )
}

fn header(name: &str, value: &str) -> Result<Header, String> {
    Header::parse(name, value).map_err(|error| error.to_string())
}

/// Fields that have come one after the other.
pub(crate) fn headers(pairs: &[(String, String)]) -> Result<Headers, String> {
    let mut headers = Headers::default();
    for (name, value) in pairs {
        headers.add(header(name, value)?);
    }
    Ok(headers)
}

fn lines(headers: &Headers) -> Pairs {
    let line = |header: &Header| (header.name().to_owned(), header.text());
    headers.iter().map(line).collect()
}

fn joined(headers: &Headers, name: &str) -> Value {
    headers
        .joined(name)
        .map_or(Value::Null, |value| latin1(&value).into())
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}
