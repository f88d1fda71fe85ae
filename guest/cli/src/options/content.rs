//! What a request carries: its header fields and its body.
//!
//! Looks at the files that options name, and reads the small ones; the rest of them, and standard input for `@-`, `upload` reads.

use std::fs;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use urlpool_core::policy::encode::has_fields_in_query;
use urlpool_core::policy::fields;
use urlpool_core::types::{Content, Header, Headers, Method, Multipart, Part, PartData, Streamed};

use super::Early;
use crate::text::file_error;
use crate::upload::{Source, Upload};

/// A file of no more bytes than this is read before anything is sent: its bytes go out in one flight with the head.
const SMALL: u64 = 64 * 1024;

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
        .map(|line| header("-H", &line))
        .collect::<Result<Headers, Early>>()?;
    if let Some(user) = matches.remove_one::<String>("user") {
        name_and_password("--user", &user)?;
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
pub(super) fn upload(matches: &mut ArgMatches, method: &Method) -> Result<Upload, Early> {
    for (id, option) in [("json", "--json"), ("data", "--data")] {
        if let Some(text) = matches.remove_one::<String>(id) {
            return Ok(match data(option, text)? {
                Data::Bytes(bytes) => at_once(Content::Bytes(bytes)),
                Data::From(source) => Upload {
                    content: Content::Streamed(Streamed {
                        length: source.length(),
                        can_rewind: source.can_rewind(),
                    }),
                    sources: vec![source],
                },
            });
        }
    }
    if let Some(typed) = matches.remove_many::<String>("form") {
        return form(typed);
    }
    let Some(typed) = matches.remove_many::<String>("field") else {
        return Ok(at_once(Content::Empty));
    };
    let pairs = typed
        .map(|typed| name_and_value("--field", &typed))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(at_once(if has_fields_in_query(method) {
        let field = |(name, value)| Part::field(name, value);
        Content::Fields(pairs.into_iter().map(field).collect())
    } else {
        Content::Form(pairs)
    }))
}

const fn at_once(content: Content) -> Upload {
    Upload {
        content,
        sources: Vec::new(),
    }
}

fn form(typed: impl Iterator<Item = String>) -> Result<Upload, Early> {
    let (mut parts, mut sources) = (Vec::new(), Vec::new());
    for typed in typed {
        parts.push(part(&typed, &mut sources)?);
    }
    let inputs = sources.iter().filter(|source| **source == Source::Input);
    if inputs.count() > 1 {
        return Err(Early::Usage(
            "--form: standard input (@-) can be read once only".into(),
        ));
    }
    let form = Multipart {
        parts,
        can_rewind: sources.iter().all(Source::can_rewind),
        ..Multipart::default()
    };
    Ok(Upload {
        content: Content::Multipart(form),
        sources,
    })
}

/// What stands before and behind the first colon. What has none is not repeated, for it may be a password.
pub(super) fn name_and_password<'a>(
    option: &str,
    typed: &'a str,
) -> Result<(&'a str, &'a str), Early> {
    typed
        .split_once(':')
        .ok_or_else(|| Early::Usage(format!("{option} has no colon; write NAME:PASSWORD")))
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

/// A field of a form, or a file under the last part of its name. Where it is streamed, its source joins the others.
fn part(typed: &str, sources: &mut Vec<Source>) -> Result<Part, Early> {
    let (name, value) = name_and_value("--form", typed)?;
    let Some(file) = value.strip_prefix('@') else {
        return Ok(Part::field(name, value));
    };
    let filename = Path::new(file)
        .file_name()
        .map(|last| last.to_string_lossy().into_owned())
        .unwrap_or_default();
    let data = match data("--form", value)? {
        Data::Bytes(bytes) => PartData::Bytes(bytes),
        Data::From(source) => {
            let length = source.length();
            sources.push(source);
            PartData::Streamed(length)
        }
    };
    Ok(Part::file(name, filename, data))
}

/// `Name: value`, or `Name;` for a field without a value. A refused line is not repeated, for it may hold a secret.
pub(super) fn header(option: &str, line: &str) -> Result<Header, Early> {
    if let Some((name, value)) = line.split_once(':') {
        let value = value.trim_matches([' ', '\t']);
        if !value.is_empty() {
            return Ok(Header::parse(name, value)?);
        }
    } else if let Some(name) = line.strip_suffix(';') {
        return Ok(Header::parse(name, "")?);
    }
    Err(Early::Usage(format!(
        "a header ({option}) has no value; write 'Name: value', or 'Name;' for an empty one"
    )))
}

/// What a `TEXT|@FILE` argument stands for.
enum Data {
    Bytes(Vec<u8>),
    From(Source),
}

fn data(option: &str, text: String) -> Result<Data, Early> {
    let file = match text.strip_prefix('@') {
        None => return Ok(Data::Bytes(text.into_bytes())),
        Some("-") => return Ok(Data::From(Source::Input)),
        Some(file) => Path::new(file),
    };
    let length = match fs::metadata(file) {
        Ok(found) if found.is_file() && found.len() > SMALL => Some(found.len()),
        Ok(found) if !found.is_file() && !found.is_dir() => None,
        // What is wrong with it, reading tells.
        _ => return Ok(Data::Bytes(read_file(option, file)?)),
    };
    // One that cannot be opened is found out before anything is sent; what is no plain file may be opened once only.
    if length.is_some() {
        fs::File::open(file).map_err(|cause| unreadable(option, file, &cause))?;
    }
    Ok(Data::From(Source::File(file.to_owned(), length)))
}

/// The bytes of the file that an option names, where it does.
pub(super) fn named_file(matches: &mut ArgMatches, option: &str) -> Result<Option<Vec<u8>>, Early> {
    let named = matches.remove_one::<PathBuf>(option);
    let read = |file: PathBuf| read_file(&format!("--{option}"), &file);
    named.map(read).transpose()
}

fn read_file(option: &str, file: &Path) -> Result<Vec<u8>, Early> {
    fs::read(file).map_err(|cause| unreadable(option, file, &cause))
}

fn unreadable(option: &str, file: &Path, cause: &std::io::Error) -> Early {
    let why = file_error(cause);
    Early::Usage(format!("{option}: cannot read {}: {why}", file.display()))
}
