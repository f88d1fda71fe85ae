//! A Rust file taken apart as far as the rules need: code without comments, and the strings in it.
//!
//! Not a parser. It knows comments, strings, raw strings, characters and lifetimes, and leaves line breaks where they were.

/// One file.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// The text without comments and with every string emptied.
    pub(super) code: String,
    /// The contents of the strings as they are written, in order.
    pub(super) strings: Vec<String>,
}

impl Source {
    /// Takes `text` apart.
    pub(super) fn of(text: &str) -> Self {
        let mut source = Self::default();
        let mut rest = text;
        let mut before = ' ';
        while let Some(first) = rest.chars().next() {
            let taken = source.take(rest, before).max(first.len_utf8());
            before = first;
            rest = rest.get(taken..).unwrap_or_default();
        }
        source
    }

    /// The part of `text` that is shipped: all before the first inline module of tests.
    pub(super) fn shipped(text: &str) -> Self {
        const GATE: &str = "#[cfg(test)]";
        let inline = text.match_indices(GATE).map(|(at, _)| at).find(|at| {
            let gated = text.get(at + GATE.len()..).unwrap_or_default().trim_start();
            let end = gated.find(['{', ';']).unwrap_or(gated.len());
            gated.starts_with("mod ") && gated.get(end..).is_some_and(|rest| rest.starts_with('{'))
        });
        Self::of(inline.and_then(|at| text.get(..at)).unwrap_or(text))
    }

    /// Consumes one comment, string or character of code and says how many bytes that was.
    fn take(&mut self, rest: &str, before: char) -> usize {
        if rest.starts_with("//") {
            return rest.find('\n').unwrap_or(rest.len());
        }
        if rest.starts_with("/*") {
            let end = block_comment(rest);
            self.keep_lines(rest.get(..end).unwrap_or_default());
            return end;
        }
        if let Some(after) = rest.strip_prefix('"') {
            return 1 + self.string(after, quoted(after), 1);
        }
        if !is_word(before)
            && let Some((opening, hashes)) = raw_prefix(rest)
        {
            let after = rest.get(opening..).unwrap_or_default();
            let close = format!("\"{}", "#".repeat(hashes));
            let end = after.find(&close).unwrap_or(after.len());
            return opening + self.string(after, end, close.len());
        }
        if rest.starts_with('\'')
            && let Some(length) = character(rest)
        {
            self.code.push_str("' '");
            return length;
        }
        self.code.extend(rest.chars().next());
        0
    }

    fn string(&mut self, after: &str, end: usize, close: usize) -> usize {
        let contents = after.get(..end).unwrap_or_default();
        self.code.push_str("\"\"");
        self.keep_lines(contents);
        self.strings.push(contents.to_owned());
        end + close
    }

    fn keep_lines(&mut self, skipped: &str) {
        self.code.extend(skipped.chars().filter(|c| *c == '\n'));
    }

    /// The names that follow `root::`, also inside the braces of a `use`.
    pub(super) fn after(&self, root: &str) -> Vec<&str> {
        let mut found = Vec::new();
        for (at, _) in self.code.match_indices(root) {
            let before = self.code.get(..at).and_then(|code| code.chars().last());
            if before.is_some_and(is_word) {
                continue;
            }
            let rest = self.code.get(at + root.len()..).unwrap_or_default();
            if let Some(path) = rest.strip_prefix("::") {
                if let Some(group) = path.trim_start().strip_prefix('{') {
                    found.extend(first_names(group));
                } else {
                    found.extend(word(path));
                }
            }
        }
        found
    }
}

/// Whether a name can go on with `c`.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The name that `text` begins with.
pub(super) fn word(text: &str) -> Option<&str> {
    let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    text.get(..end).filter(|name| !name.is_empty())
}

/// The first name of each path in a group, given the text after its opening brace.
fn first_names(group: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut is_start = true;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => is_start = true,
            c if is_word(c) && is_start => {
                found.extend(group.get(at..).and_then(word));
                is_start = false;
            }
            _ => {}
        }
    }
    found
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(left) = rest.get(at..).filter(|left| !left.is_empty()) {
        if left.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if left.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += left.chars().next().map_or(1, char::len_utf8);
        }
    }
    at.min(rest.len())
}

/// Where a string ends that begins here, its quote not counted.
fn quoted(after: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in after.char_indices() {
        match c {
            '"' if !is_escaped => return at,
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    after.len()
}

/// How long the opening of a raw string is that begins here, and how many hashes are in it.
fn raw_prefix(rest: &str) -> Option<(usize, usize)> {
    let after = rest
        .strip_prefix(['b', 'c'])
        .unwrap_or(rest)
        .strip_prefix('r')?;
    let quote = after.trim_start_matches('#');
    let opening = rest.len() - quote.len() + 1;
    quote
        .starts_with('"')
        .then_some((opening, after.len() - quote.len()))
}

/// How long the character is that begins here; none for a lifetime.
fn character(rest: &str) -> Option<usize> {
    let mut inside = rest.char_indices().skip(1);
    let (_, first) = inside.next()?;
    if first != '\\' {
        let (at, close) = inside.next()?;
        return (close == '\'').then_some(at + 1);
    }
    inside.next()?;
    inside.find(|(_, c)| *c == '\'').map(|(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_not_code() {
        for (case, text, code, strings) in [
            ("line", "a // \"b\"\nc", "a \nc", vec![]),
            ("block", "a /* b /* c */ \n d */ e", "a \n e", vec![]),
            ("string", r#"f("a // b", x)"#, r#"f("", x)"#, vec!["a // b"]),
            (
                "escaped",
                r#"("a\"b\\", c)"#,
                r#"("", c)"#,
                vec![r#"a\"b\\"#],
            ),
            ("raw", "(r#\"a\"b\"#, c)", "(\"\", c)", vec!["a\"b"]),
            ("bytes", "(br\"a\\\", c)", "(\"\", c)", vec!["a\\"]),
            ("not raw", "(for\"a\")", "(for\"\")", vec!["a"]),
            ("character", "('\"', '\\'', 'x')", "(' ', ' ', ' ')", vec![]),
            ("lifetime", "&'a str, \"b\"", "&'a str, \"\"", vec!["b"]),
        ] {
            let source = Source::of(text);
            assert_eq!(source.code, code, "{case}");
            assert_eq!(source.strings, strings, "{case}");
        }
    }

    #[test]
    fn names_are_found_behind_their_root() {
        for (case, text, names) in [
            ("path", "use crate::types::Url;", vec!["types"]),
            (
                "group",
                "use crate::{policy, types::{Url, Error}, machine as m};",
                vec!["policy", "types", "machine"],
            ),
            (
                "expression",
                "let x = crate::policy::is_ok();",
                vec!["policy"],
            ),
            ("other crate", "use not_crate::types;", vec![]),
            ("comment", "// use crate::driver;", vec![]),
        ] {
            assert_eq!(Source::of(text).after("crate"), names, "{case}");
        }
    }

    #[test]
    fn tests_are_not_shipped() {
        let text = "a();\n#[cfg(test)]\nmod tests {\n b();\n}";
        assert_eq!(Source::shipped(text).code.trim(), "a();");
        let elsewhere = "#[cfg(test)]\nmod tests;\na();";
        assert!(Source::shipped(elsewhere).code.contains("a();"));
    }
}
