//! The options as they are typed and as `--help` shows them. Curl's letters where curl has them.
//!
//! An option exists only where the behaviour behind it does.

mod proxy;
mod tls;

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, Command, ValueHint, value_parser};
use urlpool_core::types::Budget;

pub(crate) use proxy::ABOUT_A_PROXY;

use crate::generate;

/// As many connections as a process may usually have.
const MAX_PARALLEL: usize = 1_000;

/// What `--help` shows without being asked for more: no more than fits a terminal of 24 lines.
const EVERYDAY: [&str; 14] = [
    "request", "header", "data", "json", "user", "output", "include", "verbose", "fail", "timeout",
    "retries", "proxy", "cacert", "help",
];

/// The command with all its options.
pub(crate) fn command() -> Command {
    Command::new("urlpool")
        .bin_name("urlpool")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Fetches URLs over connections that are kept and used again.")
        .override_usage("urlpool [OPTIONS] URL...")
        .disable_help_flag(true)
        .disable_version_flag(true)
        .arg(
            Arg::new("url")
                .value_name("URL")
                .help("What to fetch, in order")
                .value_hint(ValueHint::Url)
                .num_args(1..)
                .action(ArgAction::Append),
        )
        .args(request())
        .args(output())
        .args(limits())
        .args(retries())
        .args(connections())
        .args(proxy::args())
        .args(tls::args())
        .args(other())
}

/// The options of a group (`all` has each of them), or those for every day where there is no such group.
///
/// It has no empty lines between its groups, so that it stays on one screen.
pub(crate) fn help(group: &str) -> String {
    let shown = |arg: &Arg| arg.get_help_heading().is_some_and(|it| is_in(it, group));
    let is_group = command().get_arguments().any(shown);
    // The usage tells of the URLs.
    let is_shown = |arg: &Arg| match is_group {
        true => shown(arg),
        false => EVERYDAY.contains(&arg.get_id().as_str()),
    };
    let help = command()
        .mut_args(|arg| {
            let is_hidden = !is_shown(&arg);
            arg.hide(is_hidden)
        })
        .render_help()
        .to_string();
    let lines = help.lines().filter(|line| !line.is_empty());
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn is_in(heading: &str, group: &str) -> bool {
    group == "all" || heading.eq_ignore_ascii_case(group)
}

fn request() -> [Arg; 7] {
    [
        text(
            "request",
            "METHOD",
            "Default GET; POST when there is a body",
        )
        .short('X'),
        text(
            "header",
            "'NAME: VALUE'",
            "Add a header; repeatable; 'NAME;' has no value",
        )
        .short('H')
        .action(ArgAction::Append),
        text(
            "data",
            "TEXT|@FILE",
            "Body as it is; @- streams standard input",
        )
        .short('d')
        .conflicts_with("json"),
        text(
            "json",
            "TEXT|@FILE",
            "The same with Content-Type: application/json",
        ),
        text(
            "field",
            "NAME=VALUE",
            "In the query, or in a form where there is a body",
        )
        .action(ArgAction::Append)
        .conflicts_with_all(["data", "json"]),
        text(
            "form",
            "NAME=TEXT|@FILE",
            "A field or file of a multipart form",
        )
        .short('F')
        .action(ArgAction::Append)
        .conflicts_with_all(["data", "json", "field"]),
        text("user", "NAME:PASSWORD", "Basic credentials for the URLs").short('u'),
    ]
    .map(|arg| arg.help_heading("Request"))
}

fn output() -> [Arg; 7] {
    [
        text(
            "output",
            "FILE|-",
            "Write the body there; one for each URL, in order",
        )
        .short('o')
        .value_parser(value_parser!(PathBuf))
        .action(ArgAction::Append),
        Arg::new("remote-name")
            .short('O')
            .help("Write it to a file named as the URL ends")
            .action(ArgAction::SetTrue)
            .overrides_with("remote-name"),
        flag("no-decode", "Leave the body's Content-Encoding as it is"),
        flag("include", "Write status line and headers too").short('i'),
        flag("verbose", "Tell on standard error what happens").short('v'),
        text(
            "report",
            "json",
            "A line of JSON for each request instead of its body",
        )
        .value_parser(["json"])
        .hide_possible_values(true),
        flag("fail", "Exit 22 where a status is 400 or above"),
    ]
    .map(|arg| arg.help_heading("Output"))
}

fn limits() -> [Arg; 4] {
    [
        text(
            "connect-timeout",
            "S",
            "Seconds for lookup, TCP, proxy and TLS",
        ),
        text("read-timeout", "S", "Seconds for each wait for the server"),
        text("timeout", "S", "Seconds for a whole request, body included"),
        text("max-body", "BYTES", "Fail where a decoded body is larger")
            .value_parser(whole(0..=u64::MAX)),
    ]
    .map(|arg| arg.help_heading("Limits"))
}

fn retries() -> [Arg; 5] {
    [
        text(
            "retries",
            "N|false",
            "Try again N times, redirects counted too; default 3",
        )
        .value_parser(budget()),
        text(
            "redirects",
            "N|false",
            "Follow at most N redirects; false hands them over",
        )
        .value_parser(budget()),
        text("retry-on", "N,N", "Try again after these statuses too")
            .action(ArgAction::Append)
            .value_delimiter(',')
            .value_parser(whole(100..=999_u16)),
        text(
            "retry-method",
            "M,M",
            "Repeat only these; default all idempotent ones",
        )
        .action(ArgAction::Append)
        .value_delimiter(','),
        text(
            "backoff",
            "S",
            "Wait 2*S, 4*S, ... seconds from the third try on",
        ),
    ]
    .map(|arg| arg.help_heading("Retries"))
}

fn connections() -> [Arg; 6] {
    [
        text("num-pools", "N", "Keep pools for N origins; default 10")
            .value_parser(whole(0..=u32::MAX)),
        text("maxsize", "N", "Keep N idle connections a pool; default 1")
            .value_parser(whole(0..=u32::MAX)),
        flag("block", "Open no more than that; wait until one is free"),
        text("pool-timeout", "S", "Seconds to wait for that"),
        text("repeat", "N", "Fetch all of the URLs N times over").value_parser(whole(1..=u64::MAX)),
        text(
            "parallel",
            "N",
            "Have N requests under way at once; default 1",
        )
        .value_parser(whole(1..=MAX_PARALLEL)),
    ]
    .map(|arg| arg.help_heading("Connections"))
}

fn other() -> impl Iterator<Item = Arg> {
    let always = [
        Arg::new("help")
            .long("help")
            .short('h')
            .value_name("GROUP")
            .help("Options of a group (tls, ...), or all; else a few")
            .num_args(0..=1)
            .default_missing_value("")
            .overrides_with("help"),
        flag("version", "Print the version")
            .short('V')
            .action(ArgAction::Version),
    ];
    let args = always.into_iter().chain(generate::arg());
    args.map(|arg| arg.help_heading("Other"))
}

/// An option whose value may begin with a hyphen, as in curl, so that `-d -5` and `--timeout -1` are read as they are meant.
pub(crate) fn text(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name(value)
        .help(help)
        .allow_hyphen_values(true)
}

/// An option that names a file.
fn file(name: &'static str, help: &'static str) -> Arg {
    text(name, "FILE", help).value_parser(value_parser!(PathBuf))
}

/// An option without a value; giving it again changes nothing, as in curl.
fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .help(help)
        .action(ArgAction::SetTrue)
        .overrides_with(name)
}

/// How often, or `false` for what is then not done at all.
fn budget() -> ValueParser {
    ValueParser::new(|written: &str| match (written, written.parse()) {
        ("false", _) => Ok(Budget::Off),
        (_, Ok(count)) => Ok(Budget::AtMost(count)),
        (_, Err(_)) => Err(format!(
            "it is neither false nor a whole number from 0 to {}",
            u32::MAX
        )),
    })
}

/// A whole number within bounds, both of which the message names.
fn whole<T>(bounds: RangeInclusive<T>) -> ValueParser
where
    T: FromStr + PartialOrd + Display + Clone + Send + Sync + 'static,
{
    ValueParser::new(move |written: &str| {
        let number = written
            .parse()
            .ok()
            .filter(|number| bounds.contains(number));
        number.ok_or_else(|| {
            let (least, most) = (bounds.start(), bounds.end());
            format!("it is not a whole number from {least} to {most}")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declaration_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn help_fits_a_small_screen() {
        let groups = [
            "Request",
            "Output",
            "Limits",
            "Retries",
            "Connections",
            "Proxy",
            "TLS",
            "Other",
        ];
        // One line of the screen is for the next command.
        for (group, most) in [("", 23), ("no group", 23), ("all", 80)]
            .into_iter()
            .chain(groups.map(|group| (group, 23)))
        {
            let help = help(group);
            assert!(help.lines().count() <= most, "{help}");
            for line in help.lines() {
                assert!(line.chars().count() <= 80, "{line:?}");
            }
            for heading in groups {
                let line = format!("{heading}:");
                let is_there = help.lines().any(|it| it == line);
                let expected = match group {
                    "all" => true,
                    group if groups.contains(&group) => group == heading,
                    _ => heading != "Connections",
                };
                assert_eq!(is_there, expected, "{group}: {heading}");
            }
        }
        assert_eq!(help("tls"), help("TLS"));
    }

    #[test]
    fn all_help_is_all_there_is() {
        let help = help("all");
        for arg in command().get_arguments() {
            if let Some(long) = arg.get_long() {
                assert!(help.contains(&format!("--{long}")), "{long}");
            }
            if let Some(short) = arg.get_short() {
                assert!(help.contains(&format!("-{short}")), "{short}");
            }
        }
    }
}
