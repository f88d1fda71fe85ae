//! The man page and the completions of shells, made of the declaration that `--help` shows.
//!
//! Only what no option says is written here: exit statuses, variables of the environment, and examples.

use clap::{Arg, ArgMatches};
use clap_complete::Shell;
use clap_complete::aot::generate;
use clap_mangen::Man;

use crate::command::{command, text};

/// What can be made.
const KINDS: [&str; 4] = ["man", "bash", "zsh", "fish"];

/// Name, section, no date, and version.
const TITLE: &str = concat!(
    ".TH URLPOOL 1 \"\" \"urlpool ",
    env!("CARGO_PKG_VERSION"),
    "\""
);

/// What the options of a man page do not tell, in roff.
const TAIL: &str = r#".SH "EXIT STATUS"
.TP
0
Every request got a whole response.
.TP
1
A request failed, or the output could not be written.
.TP
2
A usage error, found before anything of its request was sent.
.TP
22
With \-\-fail: every request got a response, and one had a status of 400 or above.
.SH ENVIRONMENT
.TP
http_proxy, https_proxy, all_proxy, no_proxy
Proxies and what goes through none, by curl's rules; all but http_proxy count in upper case too.
.TP
NO_COLOR
Where it is not empty, nothing is coloured. Nothing is outside a terminal.
.TP
URLPOOL_CACHE_DIR
Where the native command keeps compiled code.
.SH EXAMPLES
.TP
urlpool \-o page.html https://example.org/
A body into a file, which appears once it is whole.
.TP
urlpool \-\-json '{"a": 1}' \-\-retries 5 \-\-retry\-on 429,503 \-\-retry\-method POST https://example.org/
A request that is repeated where the server is busy.
.TP
urlpool \-\-repeat 100 \-\-parallel 4 \-\-report json https://example.org/
A line of JSON for each of many requests over few connections.
"#;

/// The option that asks for it.
pub(crate) fn arg() -> Option<Arg> {
    let help = "Print a man page (man), or completions (bash, ...)";
    let arg = text("generate", "KIND", help).value_parser(KINDS);
    Some(arg.hide_possible_values(true))
}

/// What was asked for.
pub(crate) fn asked(matches: &ArgMatches) -> Option<String> {
    matches
        .get_one::<String>("generate")
        .map(|kind| generated(kind))
}

fn generated(kind: &str) -> String {
    match kind {
        "man" => man(),
        "bash" => completion(Shell::Bash),
        "zsh" => completion(Shell::Zsh),
        "fish" => completion(Shell::Fish),
        _ => String::new(),
    }
}

fn completion(shell: Shell) -> String {
    let mut text = Vec::new();
    generate(shell, &mut command(), "urlpool", &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

fn man() -> String {
    let mut text = Vec::new();
    // Nothing that is written into memory fails.
    let _ = Man::new(command()).render(&mut text);
    let text = String::from_utf8_lossy(&text);
    let lines = text.lines().map(|line| match line.strip_prefix(".TH ") {
        // Where there is no date, the library leaves its place out, and the version takes it.
        Some(_) => TITLE,
        None => line,
    });
    lines.flat_map(|line| [line, "\n"]).collect::<String>() + TAIL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_in_everything_generated() {
        for kind in KINDS {
            let text = generated(kind);
            for arg in command().get_arguments() {
                let (long, short) = (arg.get_long(), arg.get_short());
                let long = long.map(|long| match kind {
                    "man" => format!("\\-\\-{}", long.replace('-', "\\-")),
                    "fish" => format!(" -l {long} "),
                    _ => format!("--{long}"),
                });
                let short = short.map(|short| match kind {
                    "man" => format!("\\-{short}"),
                    "fish" => format!(" -s {short} "),
                    _ => format!("-{short}"),
                });
                for expected in long.into_iter().chain(short) {
                    assert!(text.contains(&expected), "{kind}: {expected}\n{text}");
                }
            }
        }
    }

    #[test]
    fn the_man_page_tells_what_options_do_not() {
        let page = generated("man");
        for section in ["NAME", "SYNOPSIS", "EXIT STATUS", "ENVIRONMENT", "EXAMPLES"] {
            assert!(page.contains(section), "{section}\n{page}");
        }
        let title = page.lines().find(|line| line.starts_with(".TH "));
        assert_eq!(title, Some(TITLE));
    }
}
