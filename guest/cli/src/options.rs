//! What was typed, turned into values that parse or do not exist: everything is refused here that can be before anything is sent.
//!
//! Decides where bodies go; what is sent is `content`'s to say, and how it is sent `settings`'. Opens nothing for writing.

mod content;
mod proxies;
mod settings;
mod tls;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use clap::error::ErrorKind;
use urlpool_core::types::{
    CertReqs, Error, ManagerSettings, Method, PoolSettings, RequestOptions, TlsSettings, Url,
};

use crate::command::{command, help};
use crate::generate;
use crate::upload::Upload;

/// How many events are kept between two looks at them for each request under way: far more than one makes.
const EVENTS: u32 = 1_000;

/// All that the command was asked to do.
#[derive(Debug)]
pub(crate) struct Options {
    /// What to fetch, in order; never empty.
    pub(crate) targets: Vec<Target>,
    /// In upper case.
    pub(crate) method: Method,
    pub(crate) upload: Upload,
    pub(crate) request: RequestOptions,
    pub(crate) manager: ManagerSettings,
    /// Where the secrets of TLS connections are appended.
    pub(crate) key_log: Option<PathBuf>,
    /// How many times the list of targets is gone through; at least 1.
    pub(crate) repeat: u64,
    /// How many requests are under way at once; at least 1.
    pub(crate) parallel: usize,
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
    /// Help, the version or a generated file was asked for: text for standard output.
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
        if error.kind() == ErrorKind::DisplayVersion {
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
    /// The options that `arguments` write; the first argument is the program's name. `variables` are those of the environment.
    pub(crate) fn parse(
        arguments: impl IntoIterator<Item = OsString>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, Early> {
        let mut matches = command().try_get_matches_from(arguments)?;
        if let Some(group) = matches.get_one::<String>("help") {
            return Err(Early::Print(help(group)));
        }
        if let Some(text) = generate::asked(&matches) {
            return Err(Early::Print(text));
        }
        let is_reported = matches.contains_id("report");
        let targets = targets(&mut matches, is_reported)?;
        let method = content::method(&mut matches)?;
        let headers = content::headers(&mut matches)?;
        let upload = content::upload(&mut matches, &method)?;
        let repeat = matches.remove_one("repeat").unwrap_or(1);
        if !upload.can_rewind() && (targets.len() > 1 || repeat > 1) {
            return Err(Early::Usage(
                "what is read once cannot be sent to several URLs; write it into a file first"
                    .into(),
            ));
        }
        let is_verbose = matches.get_flag("verbose");
        let parallel = matches.remove_one("parallel").unwrap_or(1);
        let key_log = matches.remove_one::<PathBuf>("key-log");
        let tls = tls::settings(&mut matches, key_log.is_some())?;
        let proxies = proxies::settings(&mut matches, variables, &tls)?;
        let pool = PoolSettings {
            tls,
            proxies,
            ..settings::pool_settings(&mut matches)?
        };
        let has_events = is_verbose || is_reported || may_warn(&pool) || key_log.is_some();
        Ok(Self {
            targets,
            method,
            upload,
            request: settings::request_options(&mut matches, headers)?,
            manager: ManagerSettings {
                num_pools: matches.remove_one("num-pools"),
                pool,
                events: has_events.then(|| events(parallel)),
                ..ManagerSettings::default()
            },
            key_log,
            repeat,
            parallel,
            is_head_included: matches.get_flag("include"),
            is_verbose,
            is_reported,
            is_fail_set: matches.get_flag("fail"),
        })
    }
}

/// Whether a request may go to somebody who did not prove who it is, of which a warning tells.
fn may_warn(pool: &PoolSettings) -> bool {
    let is_off = |tls: &TlsSettings| tls.cert_reqs == Some(CertReqs::None);
    let rules = pool.proxies.iter().flat_map(|proxies| &proxies.rules);
    let mut proxies = rules.filter_map(|rule| rule.proxy.as_ref()?.tls.as_ref());
    is_off(&pool.tls) || proxies.any(is_off)
}

fn events(parallel: usize) -> u32 {
    u32::try_from(parallel).map_or(u32::MAX, |parallel| EVENTS.saturating_mul(parallel))
}

/// The URLs, each with the place of its body: its own `-o`, else its last segment where `-O` asks for it, else standard output.
fn targets(matches: &mut ArgMatches, is_reported: bool) -> Result<Vec<Target>, Early> {
    let urls: Vec<String> = matches.remove_many("url").into_iter().flatten().collect();
    if urls.is_empty() {
        return Err(Early::Usage(
            "there is no URL to fetch (--help shows the options)".into(),
        ));
    }
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

#[cfg(test)]
mod tests;
