//! What a request carries: its header fields and its body.
//!
//! Reads the files that options name, and standard input for `@-`.

use std::io::Read;
use std::path::Path;

use clap::ArgMatches;
use urlpool_core::policy::encode::has_fields_in_query;
use urlpool_core::policy::fields;
use urlpool_core::types::{Content, Header, Headers, Method, Multipart, Part, PartData};

use super::Early;
use crate::text::file_error;

/// The method that was typed, else POST where there is a body. Fields alone mean GET, whose query takes them.
pub(super) fn method(matches: &mut ArgMatches) -> Result<Method, Early> {
    let Some(typed) = matches.remove_one::<String>("request") else {
        let has_body = ["data", "json", "form"]
            .iter()
            .any(|option| matches.contains_id(option));
        return Ok(Method::parse(if has_body { "POST" } else { "GET" })?);
    };
    // Refused as it was typed, so that the message quotes that.
    Method::parse(typed.as_str())?;
    Ok(Method::parse(typed.to_ascii_uppercase())?)
}

/// The header fields, with those that `--json` and `--user` add where they are not written by hand.
pub(super) fn headers(matches: &mut ArgMatches) -> Result<Headers, Early> {
    let mut headers = matches
        .remove_many::<String>("header")
        .into_iter()
        .flatten()
        .map(|line| header(&line))
        .collect::<Result<Headers, Early>>()?;
    if let Some(user) = matches.remove_one::<String>("user") {
        if !user.contains(':') {
            return Err(Early::Usage(
                "--user has no colon; write NAME:PASSWORD".into(),
            ));
        }
        if !headers.has("Authorization") {
            let credentials = fields::basic(user.as_bytes());
            headers.push(Header::parse("Authorization", credentials)?);
        }
    }
    if matches.contains_id("json") && !headers.has("Content-Type") {
        headers.push(Header::parse("Content-Type", "application/json")?);
    }
    Ok(headers)
}

/// The body, of which the command line knows no two kinds at once.
pub(super) fn content(
    matches: &mut ArgMatches,
    method: &Method,
    input: &mut dyn Read,
) -> Result<Content, Early> {
    for (id, option) in [("json", "--json"), ("data", "--data")] {
        if let Some(text) = matches.remove_one::<String>(id) {
            return Ok(Content::Bytes(data(option, text, input)?));
        }
    }
    if let Some(typed) = matches.remove_many::<String>("form") {
        let parts = typed
            .map(|typed| part(&typed, input))
            .collect::<Result<_, _>>()?;
        return Ok(Content::Multipart(Multipart {
            parts,
            ..Multipart::default()
        }));
    }
    let Some(typed) = matches.remove_many::<String>("field") else {
        return Ok(Content::Empty);
    };
    let pairs = typed
        .map(|typed| name_and_value("--field", &typed))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(if has_fields_in_query(method) {
        let field = |(name, value)| Part::field(name, value);
        Content::Fields(pairs.into_iter().map(field).collect())
    } else {
        Content::Form(pairs)
    })
}

fn name_and_value(option: &str, typed: &str) -> Result<(String, String), Early> {
    match typed.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        // Not repeated, for it may be a secret whose name was forgotten.
        None => Err(Early::Usage(format!(
            "{option}: there is no '='; write NAME=VALUE"
        ))),
    }
}

/// A field of a form, or a file under the last part of its name.
fn part(typed: &str, input: &mut dyn Read) -> Result<Part, Early> {
    let (name, value) = name_and_value("--form", typed)?;
    let Some(file) = value.strip_prefix('@') else {
        return Ok(Part::field(name, value));
    };
    let filename = Path::new(file)
        .file_name()
        .map(|last| last.to_string_lossy().into_owned())
        .unwrap_or_default();
    let bytes = data("--form", value, input)?;
    Ok(Part::file(name, filename, PartData::Bytes(bytes)))
}

/// `Name: value`, or `Name;` for a field without a value. A refused line is not repeated, for it may hold a secret.
fn header(line: &str) -> Result<Header, Early> {
    if let Some((name, value)) = line.split_once(':') {
        let value = value.trim_matches([' ', '\t']);
        if !value.is_empty() {
            return Ok(Header::parse(name, value)?);
        }
    } else if let Some(name) = line.strip_suffix(';') {
        return Ok(Header::parse(name, "")?);
    }
    Err(Early::Usage(
        "a header (-H) has no value; write 'Name: value', or 'Name;' for an empty one".into(),
    ))
}

/// The bytes that a `TEXT|@FILE` argument stands for.
fn data(option: &str, text: String, input: &mut dyn Read) -> Result<Vec<u8>, Early> {
    match text.strip_prefix('@') {
        None => Ok(text.into_bytes()),
        Some("-") => {
            let mut bytes = Vec::new();
            input.read_to_end(&mut bytes).map_err(|cause| {
                Early::Usage(format!("{option}: cannot read standard input: {cause}"))
            })?;
            Ok(bytes)
        }
        Some(file) => read_file(option, Path::new(file)),
    }
}

pub(super) fn read_file(option: &str, file: &Path) -> Result<Vec<u8>, Early> {
    std::fs::read(file).map_err(|cause| {
        let why = file_error(&cause);
        Early::Usage(format!("{option}: cannot read {}: {why}", file.display()))
    })
}
