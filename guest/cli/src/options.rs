//! What was typed, turned into values that parse or do not exist: everything is refused here that can be before anything is sent.
//!
//! Reads the files that options name, and standard input for `@-`; opens nothing for writing.

use std::ffi::OsString;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ArgMatches;
use clap::error::ErrorKind;
use urlpool_core::policy::fields;
use urlpool_core::types::{
    Content, Error, Header, Headers, Limit, ManagerSettings, Method, PoolSettings, RequestOptions,
    Timeouts, TlsSettings, Url,
};

use crate::command::command;
use crate::text::file_error;

/// How many events are kept between two looks at them: far more than one request makes.
const EVENTS: u32 = 1_000;

/// All that the command was asked to do.
#[derive(Debug)]
pub(crate) struct Options {
    /// What to fetch, in order; never empty.
    pub(crate) targets: Vec<Target>,
    /// In upper case.
    pub(crate) method: Method,
    pub(crate) content: Content,
    pub(crate) request: RequestOptions,
    pub(crate) manager: ManagerSettings,
    /// How many times the list of targets is gone through; at least 1.
    pub(crate) repeat: u64,
    pub(crate) max_body: Option<u64>,
    pub(crate) is_head_included: bool,
    pub(crate) is_verbose: bool,
    pub(crate) is_reported: bool,
    pub(crate) is_fail_set: bool,
}

/// One URL of the list.
#[derive(Eq, PartialEq)]
pub(crate) struct Target {
    /// As it was typed, userinfo included.
    pub(crate) url: String,
    /// Absolute and without userinfo, fit to be shown.
    pub(crate) shown: String,
    pub(crate) output: Output,
}

impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Target")
            .field("shown", &self.shown)
            .field("output", &self.output)
            .finish_non_exhaustive()
    }
}

/// Where a body goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Output {
    Stdout,
    File(PathBuf),
    Nowhere,
}

/// Why there is nothing to do.
#[derive(Debug)]
pub(crate) enum Early {
    /// Help or the version was asked for: text for standard output.
    Print(String),
    /// A usage error, on one line.
    Usage(String),
}

impl From<Error> for Early {
    fn from(error: Error) -> Self {
        Self::Usage(format!("({}) {error}", error.kind()))
    }
}

impl From<clap::Error> for Early {
    fn from(error: clap::Error) -> Self {
        let text = error.to_string();
        if matches!(
            error.kind(),
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
        ) {
            return Self::Print(text);
        }
        // The first paragraph says what is wrong; usage and advice follow it.
        let what = text
            .lines()
            .take_while(|line| !line.trim().is_empty())
            .map(str::trim)
            .collect::<Vec<_>>()
            .join(" ");
        let what = what.strip_prefix("error: ").unwrap_or(&what);
        Self::Usage(format!("{what} (--help shows the options)"))
    }
}

impl Options {
    /// The options that `arguments` write; the first argument is the program's name.
    pub(crate) fn parse(
        arguments: impl IntoIterator<Item = OsString>,
        input: &mut dyn Read,
    ) -> Result<Self, Early> {
        let mut matches = command().try_get_matches_from(arguments)?;
        let is_reported = matches.contains_id("report");
        let targets = targets(&mut matches, is_reported)?;
        let (content, headers) = content_and_headers(&mut matches, input)?;
        let method = match matches.remove_one::<String>("request") {
            Some(typed) => {
                // Refused as it was typed, so that the message quotes that.
                Method::parse(typed.as_str())?;
                Method::parse(typed.to_ascii_uppercase())?
            }
            None if content.is_empty() => Method::parse("GET")?,
            None => Method::parse("POST")?,
        };
        let is_verbose = matches.get_flag("verbose");
        Ok(Self {
            targets,
            method,
            content,
            request: RequestOptions {
                headers: Some(headers).filter(|headers| !headers.is_empty()),
                ..RequestOptions::default()
            },
            manager: ManagerSettings {
                num_pools: matches.remove_one("num-pools"),
                pool: pool_settings(&mut matches)?,
                events: (is_verbose || is_reported).then_some(EVENTS),
                ..ManagerSettings::default()
            },
            repeat: matches.remove_one("repeat").unwrap_or(1),
            max_body: matches.remove_one("max-body"),
            is_head_included: matches.get_flag("include"),
            is_verbose,
            is_reported,
            is_fail_set: matches.get_flag("fail"),
        })
    }
}

/// The URLs, each with the place of its body: its own `-o`, else its last segment where `-O` asks for it, else standard output.
fn targets(matches: &mut ArgMatches, is_reported: bool) -> Result<Vec<Target>, Early> {
    let urls: Vec<String> = matches.remove_many("url").into_iter().flatten().collect();
    let files: Vec<PathBuf> = matches
        .remove_many("output")
        .into_iter()
        .flatten()
        .collect();
    if files.len() > urls.len() {
        return Err(Early::Usage(format!(
            "there are {} outputs (-o) and {} URLs; give one -o for each URL",
            files.len(),
            urls.len()
        )));
    }
    if is_reported && files.iter().any(|file| file == Path::new("-")) {
        return Err(Early::Usage(
            "--report json and -o - would both write to standard output; name a file".into(),
        ));
    }
    let has_remote_name = matches.get_flag("remote-name");
    let mut files = files.into_iter();
    urls.into_iter()
        .map(|url| {
            let parsed = Url::parse(&url)?;
            let output = match files.next() {
                Some(file) if file == Path::new("-") => Output::Stdout,
                Some(file) => Output::File(file),
                None if has_remote_name => Output::File(remote_name(&parsed)?),
                None if is_reported => Output::Nowhere,
                None => Output::Stdout,
            };
            Ok(Target {
                url,
                shown: parsed.as_str().to_owned(),
                output,
            })
        })
        .collect()
}

/// The last segment of the path, escapes kept, so that it can name no other folder.
fn remote_name(url: &Url) -> Result<PathBuf, Early> {
    let path = url.target().split('?').next().unwrap_or_default();
    match path.rsplit('/').next() {
        Some(name) if !name.is_empty() => Ok(PathBuf::from(name)),
        _ => Err(Early::Usage(format!(
            "-O: {} ends in no file name; use -o FILE",
            url.as_str()
        ))),
    }
}

/// The body, and the headers with those that `--json` and `--user` add where they are not written by hand.
fn content_and_headers(
    matches: &mut ArgMatches,
    input: &mut dyn Read,
) -> Result<(Content, Headers), Early> {
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
    if let Some(json) = matches.remove_one::<String>("json") {
        if !headers.has("Content-Type") {
            headers.push(Header::parse("Content-Type", "application/json")?);
        }
        return Ok((Content::Bytes(data("--json", json, input)?), headers));
    }
    let content = match matches.remove_one::<String>("data") {
        Some(text) => Content::Bytes(data("--data", text, input)?),
        None => Content::Empty,
    };
    Ok((content, headers))
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

fn read_file(option: &str, file: &Path) -> Result<Vec<u8>, Early> {
    std::fs::read(file).map_err(|cause| {
        let why = file_error(&cause);
        Early::Usage(format!("{option}: cannot read {}: {why}", file.display()))
    })
}

fn pool_settings(matches: &mut ArgMatches) -> Result<PoolSettings, Early> {
    let roots = matches
        .remove_one::<PathBuf>("cacert")
        .map(|file| read_file("--cacert", &file))
        .transpose()?;
    Ok(PoolSettings {
        maxsize: matches.remove_one("maxsize"),
        timeouts: Timeouts {
            connect: limit(matches, "connect-timeout")?,
            read: limit(matches, "read-timeout")?,
            deadline: limit(matches, "timeout")?,
            ..Timeouts::default()
        },
        tls: TlsSettings { roots },
        ..PoolSettings::default()
    })
}

/// Seconds, decimals allowed: at least the nanosecond that the clock can tell, and no more of them than its 64 bits hold.
fn limit(matches: &mut ArgMatches, option: &str) -> Result<Option<Limit>, Early> {
    let Some(written) = matches.remove_one::<String>(option) else {
        return Ok(None);
    };
    written
        .parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|span| !span.is_zero() && u64::try_from(span.as_nanos()).is_ok())
        .map(|span| Some(Limit::After(span)))
        .ok_or_else(|| {
            Early::Usage(format!(
                "--{option}: {written:?} is not a number of seconds from 0.000000001 to {}, such as 2.5",
                Duration::from_nanos(u64::MAX).as_secs()
            ))
        })
}

#[cfg(test)]
mod tests;
