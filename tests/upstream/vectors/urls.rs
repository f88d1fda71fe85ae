//! URLs: where they lead, what is asked for there, and with which credentials.

use serde_json::Value;
use urlpool_core::types::{Error, Scheme, Url};

use crate::vector::{Answer, Vector, same, text};

/// What references are resolved against. It has no path, so that they come to what they are alone.
const BASE: &str = "http://base.test";

/// A URL with its scheme.
pub(crate) fn whole(vector: &Vector) -> Answer {
    let parsed = Url::parse(vector.text("input")?);
    let expected = vector.field("expected");
    if expected.is_null() {
        return refused(parsed);
    }
    let is_known = matches!(text(&expected["scheme"]), None | Some("http" | "https"));
    match parsed {
        Ok(url) if is_known => leads(&url, expected),
        // urllib3 takes it apart and then has no pool for it.
        Err(Error::UnsupportedScheme(_)) if !is_known => Ok(()),
        other => Err(format!("{expected}, but {other:?}")),
    }
}

/// A URL without a scheme, without a host too or behind `//`: what a redirect may lead to.
pub(crate) fn reference(vector: &Vector) -> Answer {
    let base = Url::parse(BASE).map_err(|error| error.to_string())?;
    let joined = base.join(vector.text("input")?);
    let expected = vector.field("expected");
    if expected.is_null() {
        return refused(joined);
    }
    let joined = joined.map_err(|error| error.to_string())?;
    if expected["host"].is_null() {
        same("origin", base.origin(), joined.origin())?;
        return asks(&joined, expected);
    }
    leads(&joined, expected)
}

/// A path in which urllib3 has encoded what may not stand in one.
pub(crate) fn path(vector: &Vector) -> Answer {
    let base = Url::parse(BASE).map_err(|error| error.to_string())?;
    let path = format!("/{}", vector.text("input")?);
    let url = Url::at(base.origin(), &path).map_err(|error| error.to_string())?;
    let expected = format!("/{}", vector.text("expected")?);
    same("path", expected.as_str(), url.target())
}

fn refused(parsed: Result<Url, Error>) -> Answer {
    parsed.map_or(Ok(()), |url| Err(format!("refused, but {url:?}")))
}

fn leads(url: &Url, expected: &Value) -> Answer {
    let origin = url.origin();
    let scheme = text(&expected["scheme"]).unwrap_or("http");
    same("scheme", scheme, origin.scheme().as_str())?;
    let host = text(&expected["host"]).unwrap_or_default();
    same("host", host, origin.host().as_str())?;
    let default = if scheme == "https" {
        Scheme::Https.default_port()
    } else {
        Scheme::Http.default_port()
    };
    let port = expected["port"].as_u64().unwrap_or_else(|| default.into());
    same("port", &port, &origin.port().into())?;
    let credentials = text(&expected["auth_decoded_joined"]).map(|text| text.as_bytes().to_vec());
    same("credentials", &credentials, &url.credentials())?;
    asks(url, expected)
}

fn asks(url: &Url, expected: &Value) -> Answer {
    let target = text(&expected["request_uri"]).unwrap_or_default();
    same("target", target, url.target())
}
