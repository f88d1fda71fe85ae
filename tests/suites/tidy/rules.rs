//! The rules, each over one file. A rule returns its complaints, and none where it does not apply.

use super::source::{Source, is_word, word};

/// The layers of core, lowest first.
const LAYERS: [&str; 4] = ["types", "policy", "machine", "driver"];
const CORE: &str = "guest/core/src/";

/// The simulation may use every layer, and only tests may use it.
const SIMULATION: &str = "sim";

/// A module of core uses its own layer and those before it.
pub(super) fn layers(path: &str, source: &Source) -> Vec<String> {
    let Some((place, own)) = core_layer(path) else {
        return Vec::new();
    };
    let mut complaints: Vec<String> = source
        .after("crate")
        .into_iter()
        .filter_map(|name| Some((name, rank(name)?)))
        .filter(|(_, used)| *used > own)
        .map(|(name, _)| format!("uses the layer {name}, which is above its own"))
        .collect();
    // A path through `super` that leaves the layer would not be seen by the rule above.
    let depth = place.split('/').count() - usize::from(place.ends_with("/mod.rs"));
    for (at, _) in source.code.match_indices("super::super") {
        let rest = source.code.get(at..).unwrap_or_default();
        let climbs = rest.split("::").take_while(|part| *part == "super").count();
        if climbs >= depth && !source.code.get(..at).unwrap_or_default().ends_with("::") {
            complaints.push("leaves its layer through `super`; write `crate::` instead".to_owned());
        }
    }
    complaints
}

fn core_layer(path: &str) -> Option<(&str, usize)> {
    let place = path.strip_prefix(CORE)?;
    let layer = word(place)?;
    let own = LAYERS.iter().position(|name| *name == layer)?;
    Some((place, own))
}

fn rank(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| *layer == name)
}

/// The simulation is for tests: what is shipped does not know it.
pub(super) fn simulation(path: &str, shipped: &Source) -> Vec<String> {
    let is_test = path.ends_with("tests.rs") || path.contains("/tests/");
    if core_layer(path).is_none() || is_test {
        return Vec::new();
    }
    shipped
        .after("crate")
        .into_iter()
        .filter(|name| *name == SIMULATION)
        .map(|_| "uses the simulation outside of its tests".to_owned())
        .collect()
}

/// A module begins with what it is.
pub(super) fn header(text: &str) -> Vec<String> {
    if text.starts_with("//! ") {
        Vec::new()
    } else {
        vec!["does not begin with `//!`".to_owned()]
    }
}

/// What is to be done is an issue, and the text names it: `(#12)`.
pub(super) fn to_dos(text: &str) -> Vec<String> {
    const MARKS: [&str; 3] = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
    ];
    let mut complaints = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for mark in MARKS {
            for (at, _) in line.match_indices(mark) {
                let before = line.get(..at).and_then(|text| text.chars().last());
                let after = line.get(at + mark.len()..).unwrap_or_default();
                let is_whole =
                    !before.is_some_and(is_word) && !after.chars().next().is_some_and(is_word);
                if is_whole && !names_an_issue(after) {
                    complaints.push(format!("line {}: {mark} without an issue", number + 1));
                }
            }
        }
    }
    complaints
}

fn names_an_issue(after: &str) -> bool {
    after
        .strip_prefix("(#")
        .and_then(|text| text.split_once(')'))
        .is_some_and(|(number, _)| number.parse::<u32>().is_ok())
}

/// Only generated code may be unsafe.
pub(super) fn no_unsafe(path: &str, source: &Source) -> Vec<String> {
    let name = path.rsplit('/').next().unwrap_or_default();
    if name == "bindings.rs" || path.contains("/bindings/") {
        return Vec::new();
    }
    source
        .code
        .split(|c| !is_word(c))
        .zip(source.code.split(|c| !is_word(c)).skip(1).chain([""]))
        .filter(|(word, next)| *word == "unsafe" || (*word == "expect" && *next == "unsafe_code"))
        .map(|(word, _)| format!("has `{word}`; generated code belongs in bindings.rs"))
        .collect()
}

/// Where a redirect leads is policy; nothing else reads it.
pub(super) fn location(path: &str, shipped: &Source) -> Vec<String> {
    let is_ours = path.starts_with(CORE) || path.starts_with("guest/src/");
    let may = path.starts_with("guest/core/src/policy/")
        || path.starts_with("guest/core/src/sim/")
        || path.ends_with("tests.rs")
        || path.contains("/tests/");
    if !is_ours || may {
        return Vec::new();
    }
    shipped
        .strings
        .iter()
        .filter(|string| string.eq_ignore_ascii_case("location"))
        .map(|_| "reads `Location`, which is for core's policy to do".to_owned())
        .collect()
}

/// Values of WIT and values of core meet in one module on each side.
pub(super) fn conversion(path: &str, source: &Source) -> Vec<String> {
    let is_edge = path.starts_with("guest/src/") || path.starts_with("host/src/");
    let may = path.ends_with("/convert.rs") || path.contains("/convert/");
    if !is_edge || may {
        return Vec::new();
    }
    let names_core = source.after("urlpool_core").contains(&"types");
    let names_wit = !source.after("wit").is_empty() || source.code.contains("client::types::");
    if names_core && names_wit {
        vec!["names values of WIT and of core; only convert.rs may".to_owned()]
    } else {
        Vec::new()
    }
}

/// A `mod.rs` holds documentation, modules and what they export.
pub(super) fn mod_file(path: &str, source: &Source) -> Vec<String> {
    if !path.ends_with("/mod.rs") {
        return Vec::new();
    }
    source
        .code
        .split_inclusive([';', '}'])
        .map(str::trim)
        .filter(|statement| !is_declaration(statement))
        .map(|statement| {
            let first = statement.lines().next().unwrap_or_default();
            format!("holds code: {first}")
        })
        .collect()
}

fn is_declaration(statement: &str) -> bool {
    let mut rest = statement;
    while rest.starts_with('#') {
        rest = rest.split_once(']').map_or("", |(_, after)| after).trim();
    }
    if let Some(public) = rest.strip_prefix("pub") {
        rest = public.trim_start();
        if rest.starts_with('(') {
            rest = rest.split_once(')').map_or("", |(_, after)| after).trim();
        }
    }
    // What a `use` with braces leaves behind once it is split at its closing one.
    let is_rest = rest.chars().all(|c| matches!(c, ';' | '}' | ','));
    is_rest || rest.starts_with("use ") || (rest.starts_with("mod ") && rest.ends_with(';'))
}

/// The files of the repository that a page links to.
pub(super) fn links(page: &str) -> Vec<String> {
    page.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', '#']).next())
        .filter(|target| !target.is_empty() && !target.contains(':'))
        .map(str::to_owned)
        .collect()
}

/// The files and folders that a page names in code spans: what has a slash, or the ending of a page or of a configuration.
pub(super) fn named_files(page: &str) -> Vec<String> {
    code_spans(page)
        .filter(|name| !name.contains(' ') && !name.starts_with('/'))
        .filter(|name| name.contains('/') || name.ends_with(".md") || name.ends_with(".toml"))
        .map(str::to_owned)
        .collect()
}

/// The rows of the table of a section: what the first cell says, and the tests that the last one names.
pub(super) fn promises(page: &str, section: &str) -> Vec<(String, Vec<String>)> {
    let heading = format!("{section}\n");
    page.split("\n## ")
        .filter(|section| section.starts_with(&heading))
        .flat_map(str::lines)
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|row| row.split(" | ").collect::<Vec<_>>())
        .filter_map(|cells| Some((*cells.first()?, *cells.last()?)))
        .skip(1)
        .map(|(what, tests)| {
            let tests = code_spans(tests).map(str::to_owned).collect();
            (what.to_owned(), tests)
        })
        .collect()
}

/// What the root of a library re-exports: the module, and the name that each item has there. Whole crates and modules are left out.
pub(super) fn exported(root: &Source) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for statement in root.code.split("pub use ").skip(1) {
        let path: String = statement.chars().take_while(|c| *c != ';').collect();
        let (module, names) = match path.split_once("::{") {
            Some((module, group)) => (module, group.trim_end_matches('}')),
            None => path.rsplit_once("::").unwrap_or_default(),
        };
        let names = names.split(',').filter_map(|name| word(name.trim()));
        let names = names.filter(|name| !module.is_empty() && *name != "self");
        found.extend(names.map(|name| (module.to_owned(), name.to_owned())));
    }
    found
}

/// Whether the documentation of a public item has an example; `None` where the text does not define it.
pub(super) fn has_example(text: &str, item: &str) -> Option<bool> {
    const KINDS: [&str; 5] = ["struct", "enum", "trait", "fn", "type"];
    let lines: Vec<&str> = text.lines().collect();
    let defines = |line: &&str| {
        let words: Vec<&str> = line.split(|c| !is_word(c)).collect();
        let is_named =
            |pair: &[&str]| matches!(pair, [kind, name] if KINDS.contains(kind) && *name == item);
        line.starts_with("pub ") && words.windows(2).any(is_named)
    };
    let at = lines.iter().position(defines)?;
    let before = lines.iter().take(at).rev();
    let mut documentation = before.take_while(|line| !line.is_empty());
    Some(documentation.any(|line| line.starts_with("/// ```")))
}

/// What stands between backticks, within a line.
fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row: a case, a path, a text, and how many complaints there must be.
    fn check(rule: impl Fn(&str, &Source) -> Vec<String>, rows: &[(&str, &str, &str, usize)]) {
        for (case, path, text, count) in rows {
            let complaints = rule(path, &Source::of(text));
            assert_eq!(complaints.len(), *count, "{case}: {complaints:?}");
        }
    }

    #[test]
    fn a_layer_above_is_refused() {
        let machine = "guest/core/src/machine/pool/mod.rs";
        let encode = "guest/core/src/machine/h1/encode.rs";
        check(
            layers,
            &[
                ("below", machine, "use crate::types::Url;", 0),
                ("own", machine, "use crate::machine::h1;", 0),
                ("above", machine, "use crate::driver::Net;", 1),
                ("group", machine, "use crate::{types::Url, driver};", 1),
                ("in code", encode, "fn f() { crate::driver::f() }", 1),
                ("within", encode, "use super::super::pool;", 0),
                ("out", encode, "use super::super::super::driver;", 1),
                ("out of a mod.rs", machine, "use super::super::driver;", 1),
                ("other crate", "host/src/net.rs", "use crate::driver;", 0),
                ("root", "guest/core/src/lib.rs", "use crate::driver;", 0),
            ],
        );
    }

    #[test]
    fn the_simulation_stays_in_tests() {
        let manager = "guest/core/src/driver/manager.rs";
        check(
            simulation,
            &[
                ("shipped", manager, "use crate::sim::SimNet;", 1),
                (
                    "tests",
                    "guest/core/src/driver/tests.rs",
                    "use crate::sim::SimNet;",
                    0,
                ),
                (
                    "itself",
                    "guest/core/src/sim/net.rs",
                    "use crate::sim::Peer;",
                    0,
                ),
            ],
        );
    }

    #[test]
    fn a_module_without_a_header_is_refused() {
        assert!(header("//! What it is.\n").is_empty());
        assert_eq!(header("use std::fs;\n//! Late.\n").len(), 1);
        assert_eq!(header("").len(), 1);
    }

    #[test]
    fn a_to_do_without_an_issue_is_refused() {
        let mark = concat!("TO", "DO");
        for (case, text, count) in [
            ("bare", format!("// {mark}: later"), 1),
            ("named", format!("// {mark}(#12): later"), 0),
            ("a person", format!("// {mark}(me): later"), 1),
            ("part of a word", format!("{mark}S and MAS{mark}"), 0),
            ("second line", format!("a\n// {mark}"), 1),
        ] {
            assert_eq!(to_dos(&text).len(), count, "{case}");
        }
    }

    #[test]
    fn unsafe_code_is_refused_outside_bindings() {
        check(
            no_unsafe,
            &[
                ("block", "a/b.rs", "fn f() { unsafe { g() } }", 1),
                ("expected", "a/b.rs", "#[expect(unsafe_code)]", 1),
                ("forbidden", "a/b.rs", "#![forbid(unsafe_code)]", 0),
                ("comment", "a/b.rs", "// unsafe", 0),
                ("string", "a/b.rs", "f(\"unsafe\")", 0),
                ("bindings", "a/bindings.rs", "unsafe fn f() {}", 0),
            ],
        );
    }

    #[test]
    fn reading_location_is_refused_outside_policy() {
        let read = "headers.first(\"Location\")";
        check(
            location,
            &[
                ("driver", "guest/core/src/driver/manager.rs", read, 1),
                ("guest", "guest/src/exports.rs", read, 1),
                ("policy", "guest/core/src/policy/redirect.rs", read, 0),
                (
                    "a name",
                    "guest/core/src/driver/x.rs",
                    "let location = 1;",
                    0,
                ),
                ("elsewhere", "guest/cli/src/report.rs", read, 0),
            ],
        );
    }

    #[test]
    fn values_of_both_sides_are_refused_outside_convert() {
        let both = "use urlpool_core::{driver, types::Error}; fn f(error: wit::Error) {}";
        check(
            conversion,
            &[
                ("exports", "guest/src/exports.rs", both, 1),
                ("host", "host/src/manager.rs", both, 1),
                ("convert", "guest/src/convert.rs", both, 0),
                ("a folder", "guest/src/convert/error.rs", both, 0),
                (
                    "in full",
                    "guest/src/exports.rs",
                    "use urlpool_core::types::Error; use bindings::urlpool::client::types::Limit;",
                    1,
                ),
                (
                    "one side",
                    "guest/src/exports.rs",
                    "use urlpool_core::driver::Manager; fn f(error: wit::Error) {}",
                    0,
                ),
            ],
        );
    }

    #[test]
    fn code_in_a_mod_file_is_refused() {
        let path = "guest/core/src/policy/mod.rs";
        check(
            mod_file,
            &[
                (
                    "declarations",
                    path,
                    "//! Docs.\nmod a;\npub(crate) mod b;\npub use a::{C, d::{E, F}};\n",
                    0,
                ),
                ("attribute", path, "#[cfg(test)]\nmod tests;\n", 0),
                ("function", path, "mod a;\nfn f() {}\n", 1),
                ("inline module", path, "mod a { }\n", 1),
                (
                    "another file",
                    "guest/core/src/policy/retry.rs",
                    "fn f() {}",
                    0,
                ),
            ],
        );
    }

    #[test]
    fn links_to_files_are_found() {
        let page = "[a](docs/a.md#part) [b](https://b.test) [c](#d) ![e](e.png)";
        assert_eq!(links(page), ["docs/a.md", "e.png"]);
    }

    #[test]
    fn files_named_in_code_spans_are_found() {
        let page = "see `a/b.rs`, `c.toml` and `README.md`, but `make x/y`, `//!`, `mod.rs` and\n`get` and d/e are none: `f/`";
        assert_eq!(named_files(page), ["a/b.rs", "c.toml", "README.md", "f/"]);
    }

    #[test]
    fn what_is_exported_is_found() {
        let text = "mod a;\npub use a::b::{self, C, d as e};\npub use f::G;\npub use {h, i};\npub use j;\n";
        let found = exported(&Source::of(text));
        let expected = [("a::b", "C"), ("a::b", "d"), ("f", "G")];
        assert_eq!(
            found,
            expected.map(|(module, name)| (module.to_owned(), name.to_owned()))
        );
    }

    #[test]
    fn items_without_an_example_are_found() {
        for (case, text, expected) in [
            ("none", "/// A.\npub struct A;\n", Some(false)),
            (
                "one",
                "/// A.\n///\n/// ```\n/// a();\n/// ```\n#[derive(\n    Clone\n)]\npub struct A;\n",
                Some(true),
            ),
            (
                "another's",
                "/// ```\n/// ```\npub struct B;\n\n/// A.\npub async fn A() {}\n",
                Some(false),
            ),
            ("private", "/// ```\nstruct A;\npub struct AB;\n", None),
        ] {
            assert_eq!(has_example(text, "A"), expected, "{case}");
        }
    }

    #[test]
    fn rows_of_promises_are_found() {
        let row = "| Ours `x` | theirs | `a_test`, `b_test` |";
        let table = format!("| what | why | test |\n|---|---|---|\n{row}\n| bare | why | none |\n");
        let page =
            format!("# t\n{row}\n\n## Differences from urllib3\n\n{table}\n## Next\n{row}\n");
        let found = promises(&page, "Differences from urllib3");
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].0, "Ours `x`");
        assert_eq!(found[0].1, ["a_test", "b_test"]);
        assert!(found[1].1.is_empty());
    }
}
