//! Holds what the compiler and clippy cannot: the layers of core, who may name what, and how files begin.
//!
//! Each rule is a function over one file's text, in `rules`; here the rules meet the workspace. A rule that fires on nothing would go
//! unnoticed, so each has a table of texts it must refuse.

use std::fs;
use std::path::{Path, PathBuf};

mod rules;
mod source;

use source::Source;

/// A file of the workspace, with its path from the root written with slashes.
struct File {
    path: String,
    text: String,
}

#[test]
fn core_keeps_its_layers() {
    hold(rust(), |path, text| rules::layers(path, &Source::of(text)));
}

#[test]
fn what_is_shipped_does_not_know_the_simulation() {
    hold(rust(), |path, text| {
        rules::simulation(path, &Source::shipped(text))
    });
}

#[test]
fn every_module_says_what_it_is() {
    hold(rust(), |_, text| rules::header(text));
}

#[test]
fn to_dos_name_their_issue() {
    hold(written(), |_, text| rules::to_dos(text));
}

#[test]
fn nothing_is_unsafe_outside_bindings() {
    hold(rust(), |path, text| {
        rules::no_unsafe(path, &Source::of(text))
    });
}

#[test]
fn only_policy_reads_location() {
    hold(rust(), |path, text| {
        rules::location(path, &Source::shipped(text))
    });
}

#[test]
fn only_conversion_names_values_of_both_sides() {
    hold(rust(), |path, text| {
        rules::conversion(path, &Source::of(text))
    });
}

#[test]
fn mod_files_hold_no_code() {
    hold(rust(), |path, text| {
        rules::mod_file(path, &Source::of(text))
    });
}

#[test]
fn links_in_the_pages_lead_somewhere() {
    let pages = files(|path| path.ends_with(".md"));
    hold(pages, |path, text| {
        let folder = workspace().join(path);
        let folder = folder.parent().expect("a file is in a folder");
        rules::links(text)
            .into_iter()
            .filter(|link| !folder.join(link).exists())
            .map(|link| format!("links to {link}, which is not there"))
            .collect()
    });
}

#[test]
fn files_that_contributors_are_sent_to_exist() {
    let named = rules::named_files(&page("CONTRIBUTING.md"));
    assert!(
        named.iter().any(|name| name == "wit/types.wit"),
        "{named:?}"
    );
    let missing: Vec<&String> = named
        .iter()
        .filter(|name| !workspace().join(name).exists())
        .collect();
    assert!(missing.is_empty(), "{missing:?} are not there");
}

#[test]
fn adding_a_setting_leads_from_the_contract_to_the_command() {
    let page = page("CONTRIBUTING.md");
    let section = page
        .split("\n## ")
        .find(|it| it.starts_with("Adding a setting"));
    let named = rules::named_files(section.expect("the section"));
    for place in [
        "wit/",
        "guest/core/src/types/",
        "guest/core/src/policy/",
        "guest/src/convert/",
        "host/src/convert/",
        "guest/cli/src/",
        "tests/",
        "docs/",
    ] {
        let is_there = named.iter().any(|name| name.starts_with(place));
        assert!(is_there, "no file of {place} among {named:?}");
    }
}

#[test]
fn whoever_adds_an_option_is_led_to_all_who_write_every_field() {
    let page = page("CONTRIBUTING.md");
    let section = page
        .split("\n## ")
        .find(|it| it.starts_with("Adding a setting"));
    let named = rules::named_files(section.expect("the section"));
    // The last field of the record that most of them write.
    let field = concat!("assert_same_host", ": None");
    let unnamed: Vec<String> = written()
        .into_iter()
        .filter(|file| file.text.contains(field) && !named.contains(&file.path))
        .map(|file| file.path)
        .collect();
    assert!(
        unnamed.is_empty(),
        "CONTRIBUTING.md is silent of {unnamed:?}"
    );
}

#[test]
fn what_the_library_exports_has_an_example() {
    let code = rust();
    let exported = rules::exported(&Source::of(&page("host/src/lib.rs")));
    let known = ("urlpool_core::types".to_owned(), "Retries".to_owned());
    assert!(exported.contains(&known), "{exported:?}");
    let mut complaints = Vec::new();
    for (module, item) in exported {
        let place = match module.strip_prefix("urlpool_core::") {
            Some(module) => format!("guest/core/src/{module}"),
            None => format!("host/src/{module}"),
        };
        let place = place.replace("::", "/");
        let found: Vec<bool> = code
            .iter()
            .filter(|file| file.path.starts_with(&place))
            .filter_map(|file| rules::has_example(&file.text, &item))
            .collect();
        if found != [true] {
            complaints.push(format!("{module}::{item}: {found:?}"));
        }
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn every_promise_of_the_readme_names_its_tests() {
    let (page, code) = (page("README.md"), rust());
    for section in ["Proxies", "Differences from urllib3"] {
        let promises = rules::promises(&page, section);
        assert!(!promises.is_empty(), "the table of {section} has gone");
        for (promise, tests) in promises {
            assert!(!tests.is_empty(), "{promise} has no test");
            for test in tests {
                let name = format!("fn {test}()");
                assert!(
                    code.iter().any(|file| file.text.contains(&name)),
                    "{promise}: there is no test {test}"
                );
            }
        }
    }
}

fn page(name: &str) -> String {
    fs::read_to_string(workspace().join(name)).unwrap_or_else(|error| unreadable(name, &error))
}

/// Fails with every complaint about every file.
fn hold(files: Vec<File>, rule: impl Fn(&str, &str) -> Vec<String>) {
    let complaints: Vec<String> = files
        .iter()
        .flat_map(|file| {
            rule(&file.path, &file.text)
                .into_iter()
                .map(|complaint| format!("{}: {complaint}", file.path))
        })
        .collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn rust() -> Vec<File> {
    let found = files(|path| path.ends_with(".rs"));
    assert!(
        found
            .iter()
            .any(|file| file.path == "guest/core/src/lib.rs"),
        "the walk misses the code"
    );
    found
}

/// Everything that people write, without licences and lock files.
fn written() -> Vec<File> {
    const ENDINGS: [&str; 7] = [".rs", ".wit", ".toml", ".md", ".sh", ".py", "Makefile"];
    files(|path| ENDINGS.iter().any(|ending| path.ends_with(ending)))
}

fn files(wanted: impl Fn(&str) -> bool) -> Vec<File> {
    let root = workspace();
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the workspace can be read") {
            let path = entry.expect("so can its entries").path();
            if path.is_dir() {
                if !is_foreign(&path) {
                    folders.push(path);
                }
                continue;
            }
            let name = path
                .strip_prefix(&root)
                .expect("the walk began there")
                .to_string_lossy()
                .replace('\\', "/");
            if wanted(&name) {
                let text =
                    fs::read_to_string(&path).unwrap_or_else(|error| unreadable(&name, &error));
                found.push(File { path: name, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// What is built, fetched or another tool's.
fn is_foreign(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || ["target", "dist", "deps", "node_modules", "venv"].contains(&&*name)
}

#[expect(clippy::panic, reason = "a test fails this way")]
fn unreadable(name: &str, error: &std::io::Error) -> String {
    panic!("{name} cannot be read: {error}")
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package is in a folder of the workspace")
        .to_owned()
}
