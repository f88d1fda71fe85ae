//! What urllib3's `HTTPHeaderDict` does: fields looked up, joined and replaced by name, whatever the case.
//!
//! Invariant: fields that came through [`Headers::add`] and [`Headers::extend`] alone stand grouped by name, at the place and in the case
//! of the first, which is the order urllib3 sends them in.

use std::borrow::Cow;

use super::{Header, Headers};

/// What joins the values of several fields into one (RFC 9110, section 5.3).
const JOINT: &[u8] = b", ";

impl Headers {
    /// The values of all fields of that name, joined with a comma and a space (urllib3: `headers[name]`); `None` where there is none.
    ///
    /// `Set-Cookie` is joined too, as urllib3 does, though its values then cannot be told apart; [`Headers::all`] keeps them apart.
    #[must_use]
    pub fn joined<'a>(&'a self, name: &'a str) -> Option<Cow<'a, [u8]>> {
        join(self.all(name))
    }

    /// Puts a field in the place of all fields of its name, at the place of the first (urllib3: `headers[name] = value`).
    pub fn set(&mut self, header: Header) {
        let Some(at) = self.place(header.name()) else {
            self.0.push(header);
            return;
        };
        let mut place = 0..;
        self.0
            .retain(|other| place.next() == Some(at) || !other.is(header.name()));
        if let Some(first) = self.0.get_mut(at) {
            *first = header;
        }
    }

    /// Adds a field behind those of its name, in the case of the first of them; at the end where there is none (urllib3: `add`).
    pub fn add(&mut self, header: Header) {
        match self.grouped(header) {
            Ok((after, header)) => self.0.insert(after + 1, header),
            Err(header) => self.0.push(header),
        }
    }

    /// Joins a value onto the last field of its name; adds the field where there is none (urllib3: `add` with `combine`).
    pub fn add_combined(&mut self, header: Header) {
        match self.grouped(header) {
            Ok((at, header)) => {
                if let Some(last) = self.0.get_mut(at) {
                    let joined = [last.value(), header.value()].join(JOINT);
                    *last = Header::received(last.name(), &joined);
                }
            }
            Err(header) => self.0.push(header),
        }
    }

    /// Adds a field unless there is one of its name (urllib3: `setdefault`).
    pub fn set_default(&mut self, header: Header) {
        if !self.has(header.name()) {
            self.0.push(header);
        }
    }

    /// Takes out all fields of that name and says whether there was one (urllib3: `discard`).
    pub fn remove_all(&mut self, name: &str) -> bool {
        self.remove_any(&[name])
    }

    /// Takes out all fields of any of these names and says whether there was one.
    pub fn remove_any<N: AsRef<str>>(&mut self, names: &[N]) -> bool {
        let before = self.0.len();
        self.0
            .retain(|header| !names.iter().any(|name| header.is(name.as_ref())));
        self.0.len() < before
    }

    /// Each name once, in the case of its first field, with the joined value of all its fields (urllib3: `itermerged`).
    pub fn merged(&self) -> impl Iterator<Item = (&str, Cow<'_, [u8]>)> {
        let is_first = |(at, header): &(usize, &Header)| {
            self.place(header.name()).is_none_or(|first| first == *at)
        };
        self.0
            .iter()
            .enumerate()
            .filter(is_first)
            .filter_map(|(_, header)| Some((header.name(), self.joined(header.name())?)))
    }

    /// Whether both say the same: the same names, whatever their case and order, each with the same joined value (urllib3: `==`).
    #[must_use]
    pub fn is_equivalent(&self, other: &Self) -> bool {
        self.merged().count() == other.merged().count()
            && self
                .merged()
                .all(|(name, value)| other.joined(name) == Some(value))
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|header| header.is(name))
    }

    /// The place of the last field of this one's name and this one in the case of the first; itself where there is none.
    fn grouped(&self, header: Header) -> Result<(usize, Header), Header> {
        let first = self.0.iter().find(|other| other.is(header.name()));
        let last = self.0.iter().rposition(|other| other.is(header.name()));
        match (first, last) {
            (Some(first), Some(last)) => Ok((last, Header::received(first.name(), header.value()))),
            _ => Err(header),
        }
    }
}

/// Adds each field as [`Headers::add`] does (urllib3: `extend`, `|=`).
impl Extend<Header> for Headers {
    fn extend<I: IntoIterator<Item = Header>>(&mut self, headers: I) {
        headers.into_iter().for_each(|header| self.add(header));
    }
}

fn join<'a>(mut values: impl Iterator<Item = &'a [u8]>) -> Option<Cow<'a, [u8]>> {
    let first = values.next()?;
    let Some(second) = values.next() else {
        return Some(Cow::Borrowed(first));
    };
    let mut joined = [first, second].join(JOINT);
    for value in values {
        joined.extend_from_slice(JOINT);
        joined.extend_from_slice(value);
    }
    Some(Cow::Owned(joined))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pairs = &'static [(&'static str, &'static str)];

    fn headers(pairs: Pairs) -> Headers {
        Headers::parse(pairs.iter().copied()).unwrap()
    }

    fn header(name: &str, value: &str) -> Header {
        Header::parse(name, value).unwrap()
    }

    fn lines(headers: &Headers) -> Vec<String> {
        headers
            .iter()
            .map(|header| format!("{}: {}", header.name(), header.text()))
            .collect()
    }

    /// Two cookies in different case, as in urllib3's own tests.
    const COOKIES: Pairs = &[("Cookie", "foo"), ("cookie", "bar")];

    #[test]
    fn edits_go_by_name_whatever_the_case() {
        type Edit = fn(&mut Headers);
        let rows: [(&str, Pairs, Edit, &[&str]); 15] = [
            (
                "set replaces every line, at the place of the first, in the new case",
                &[("A", "1"), ("Cookie", "foo"), ("B", "2"), ("cookie", "bar")],
                |headers| headers.set(header("cOOkie", "new")),
                &["A: 1", "cOOkie: new", "B: 2"],
            ),
            (
                "set adds at the end",
                &[("A", "1")],
                |headers| headers.set(header("B", "2")),
                &["A: 1", "B: 2"],
            ),
            (
                "add keeps the case of the first and groups",
                &[("Cookie", "foo"), ("A", "1")],
                |headers| headers.add(header("COOKIE", "with, comma")),
                &["Cookie: foo", "Cookie: with, comma", "A: 1"],
            ),
            (
                "add at the end",
                &[("A", "1")],
                |headers| headers.add(header("b", "2")),
                &["A: 1", "b: 2"],
            ),
            (
                "combined with the last line",
                COOKIES,
                |headers| headers.add_combined(header("COOKIE", "baz")),
                &["Cookie: foo", "cookie: bar, baz"],
            ),
            (
                "combined with nothing",
                &[],
                |headers| headers.add_combined(header("A", "1")),
                &["A: 1"],
            ),
            (
                "combined twice",
                &[("foo", "bar")],
                |headers| {
                    headers.add_combined(header("Foo", "baz"));
                    headers.add_combined(header("FOO", "quz"));
                },
                &["foo: bar, baz, quz"],
            ),
            (
                "default where there is one",
                COOKIES,
                |headers| headers.set_default(header("COOKIE", "x")),
                &["Cookie: foo", "cookie: bar"],
            ),
            (
                "default where there is none",
                &[("A", "1")],
                |headers| headers.set_default(header("b", "x")),
                &["A: 1", "b: x"],
            ),
            (
                "remove all lines",
                COOKIES,
                |headers| assert!(headers.remove_all("cOOkie")),
                &[],
            ),
            (
                "remove nothing",
                &[("A", "1")],
                |headers| assert!(!headers.remove_all("B")),
                &["A: 1"],
            ),
            (
                "remove several names",
                &[("A", "1"), ("b", "2"), ("C", "3"), ("a", "4")],
                |headers| assert!(headers.remove_any(&["a", "B"])),
                &["C: 3"],
            ),
            (
                "extend adds and never replaces",
                COOKIES,
                |headers| {
                    headers.extend(self::headers(&[("cookie", "baz"), ("D", "1"), ("d", "2")]))
                },
                &["Cookie: foo", "cookie: bar", "Cookie: baz", "D: 1", "D: 2"],
            ),
            (
                "extend with nothing",
                COOKIES,
                |headers| headers.extend([]),
                &["Cookie: foo", "cookie: bar"],
            ),
            (
                "an empty value is a value",
                &[("A", "")],
                |headers| headers.add_combined(header("a", "1")),
                &["A: , 1"],
            ),
        ];
        for (case, before, edit, after) in rows {
            let mut headers = headers(before);
            edit(&mut headers);
            assert_eq!(lines(&headers), after, "{case}");
        }
    }

    #[test]
    fn values_are_joined_in_order() {
        for (case, pairs, name, expected) in [
            ("one", &[("A", "1")][..], "a", Some("1")),
            ("several in any case", COOKIES, "COOKIE", Some("foo, bar")),
            (
                "three",
                &[("A", "1"), ("a", "2"), ("A", "3")],
                "A",
                Some("1, 2, 3"),
            ),
            (
                "a comma inside",
                &[("A", "1, 2"), ("A", "3")],
                "A",
                Some("1, 2, 3"),
            ),
            (
                "cookies that are set, too",
                &[("Set-Cookie", "a=b"), ("set-cookie", "c")],
                "Set-Cookie",
                Some("a=b, c"),
            ),
            ("empty", &[("A", "")], "A", Some("")),
            ("none", &[("A", "1")], "B", None),
        ] {
            let headers = headers(pairs);
            assert_eq!(
                headers.joined(name).as_deref(),
                expected.map(str::as_bytes),
                "{case}"
            );
        }
    }

    #[test]
    fn merging_names_each_once_in_its_first_case() {
        let headers = headers(&[("b", "1"), ("A", "2"), ("B", "3"), ("C", "4")]);
        let merged: Vec<(&str, String)> = headers
            .merged()
            .map(|(name, value)| (name, String::from_utf8(value.into_owned()).unwrap()))
            .collect();
        assert_eq!(
            merged,
            [("b", "1, 3".into()), ("A", "2".into()), ("C", "4".into())]
        );
    }

    #[test]
    fn two_are_equivalent_when_they_say_the_same() {
        for (case, one, other, expected) in [
            ("themselves", COOKIES, COOKIES, true),
            (
                "joined or not",
                COOKIES,
                &[("COOKIE", "foo, bar")][..],
                true,
            ),
            (
                "another order of names",
                &[("A", "1"), ("B", "2")],
                &[("b", "2"), ("a", "1")],
                true,
            ),
            (
                "another order of values",
                COOKIES,
                &[("cookie", "bar"), ("cookie", "foo")],
                false,
            ),
            (
                "a name more",
                &[("A", "1")],
                &[("A", "1"), ("B", "2")],
                false,
            ),
            (
                "a name fewer",
                &[("A", "1"), ("B", "2")],
                &[("A", "1")],
                false,
            ),
            ("another value", &[("A", "1")], &[("A", "2")], false),
            ("another name", &[("A", "1")], &[("B", "1")], false),
            ("nothing and nothing", &[], &[], true),
        ] {
            assert_eq!(
                headers(one).is_equivalent(&headers(other)),
                expected,
                "{case}"
            );
        }
    }
}
