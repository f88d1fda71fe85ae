//! What is released together has one version, and what changes in it is told under fixed headings.

use std::fs;
use std::path::Path;

use urlpool_compose::COMPONENTS;
use urlpool_tests::{Command, Program, dist};
use wasmparser::{Parser, Payload};

/// That of the workspace, for which every package takes it.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The headings under which a change is told, in their order.
const HEADINGS: [&str; 5] = ["Contract", "Added", "Changed", "Fixed", "Security"];

/// Stands in for a package of another name, whose version it has.
const FOREIGN: &str = "guest/entropy";

fn page(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let path = root.expect("the package is in a folder").join(name);
    fs::read_to_string(path).expect("a file of the repository")
}

#[test]
fn every_package_has_the_version_of_the_workspace() {
    let root = page("Cargo.toml");
    let (_, rest) = root.split_once("members = [").expect("a list of members");
    let (list, _) = rest.split_once(']').expect("its end");
    let members: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
    assert!(members.contains(&"guest/core"), "{members:?}");
    // Examples stand alone, to be copied, and are not released.
    let released = members.iter().filter(|name| !name.starts_with("examples/"));
    for member in released.copied() {
        let manifest = page(&format!("{member}/Cargo.toml"));
        let inherits = manifest
            .lines()
            .any(|line| line == "version.workspace = true");
        assert_eq!(inherits, member != FOREIGN, "{member}");
    }
}

#[test]
fn the_contract_has_the_version_of_the_packages() {
    for (file, package) in [
        ("wit/world.wit", "urlpool:client"),
        ("wit/async/world.wit", "urlpool:client-async"),
    ] {
        let versioned = format!("package {package}@{VERSION};");
        assert!(page(file).contains(&versioned), "{versioned}");
    }
    let readme = page("README.md");
    let named = readme.matches("urlpool:client/blocking@").count();
    let right = format!("urlpool:client/blocking@{VERSION}");
    assert!(named > 0, "README.md imports nothing");
    assert_eq!(readme.matches(&right).count(), named, "README.md");
}

#[test]
fn the_components_have_the_version_of_the_packages() {
    for name in COMPONENTS {
        let bytes = fs::read(dist(name)).expect("a file in dist/");
        assert_eq!(version_of(&bytes).as_deref(), Some(VERSION), "{name}");
    }
}

/// What the outermost component says of itself.
fn version_of(bytes: &[u8]) -> Option<String> {
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.expect("a component") {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::CustomSection(section) if depth == 1 && section.name() == "version" => {
                return String::from_utf8(section.data().to_vec()).ok();
            }
            _ => {}
        }
    }
    None
}

#[tokio::test]
async fn the_commands_say_that_version() {
    let expected = format!("urlpool {VERSION}\n");
    let native = Program::urlpool().args(["--version"]).run().await;
    let component = Command::from_file(&dist("urlpool-cli.wasm"));
    let component = component.args(["--version"]).run().await;
    for outcome in [native, component] {
        assert_eq!(
            (outcome.status, outcome.stdout_text()),
            (0, expected.clone())
        );
    }
}

#[test]
fn changes_are_told_under_their_headings() {
    let complaints = headings(&page("CHANGELOG.md"));
    assert!(complaints.is_empty(), "{complaints:?}");
}

/// What is wrong with the headings of a list of changes.
fn headings(page: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let (mut releases, mut next) = (0, 0);
    for line in page.lines() {
        if let Some(release) = line.strip_prefix("## ") {
            releases += 1;
            next = 0;
            let version = release.split(' ').next().unwrap_or_default();
            let is_version = version.split('.').count() == 3
                && version.split('.').all(|part| part.parse::<u32>().is_ok());
            if !is_version && (releases > 1 || release != "Unreleased") {
                complaints.push(format!("{release} is no version"));
            }
        } else if let Some(heading) = line.strip_prefix("### ") {
            match HEADINGS.iter().position(|known| *known == heading) {
                Some(place) if place >= next => next = place + 1,
                Some(_) => complaints.push(format!("{heading} is not in its place")),
                None => complaints.push(format!("{heading} is none of the headings")),
            }
        } else if line.starts_with("- ") && next == 0 {
            complaints.push(format!("{line} is under no heading"));
        }
    }
    if releases == 0 {
        complaints.push("there is no release".into());
    }
    complaints
}

#[test]
fn a_wrong_heading_is_complained_of() {
    for (case, page, complaints) in [
        (
            "right",
            "## Unreleased\n### Added\n- a\n## 0.1.0 (2026-01-31)\n### Fixed\n- b\n",
            0,
        ),
        ("nothing", "# Changelog\n", 1),
        ("unknown", "## Unreleased\n### Removed\n", 1),
        ("order", "## Unreleased\n### Fixed\n### Added\n", 1),
        ("twice", "## Unreleased\n### Fixed\n### Fixed\n", 1),
        ("no heading", "## Unreleased\n- a\n", 1),
        ("no version", "## Next\n### Fixed\n", 1),
        (
            "unreleased below",
            "## 0.1.0\n### Fixed\n## Unreleased\n",
            1,
        ),
    ] {
        assert_eq!(headings(page).len(), complaints, "{case}");
    }
}
