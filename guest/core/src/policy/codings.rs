//! Which content codings are undone before a body is handed out, and in which order (RFC 9110, section 8.4).

use crate::types::Headers;

/// A content coding that we can undo.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Coding {
    /// `gzip` and `x-gzip` (RFC 1952).
    Gzip,
    /// `deflate`: the zlib format (RFC 1950), or raw deflate (RFC 1951) from servers that take the name by its word.
    Deflate,
    /// `br` (RFC 7932).
    Brotli,
    /// `zstd` (RFC 8878, with the window of RFC 9659).
    Zstd,
}

impl Coding {
    /// Its name in `Content-Encoding`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// The coding of that name, whatever its case.
    fn named(name: &[u8]) -> Option<Self> {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if is("x-gzip") {
            return Some(Self::Gzip);
        }
        [Self::Gzip, Self::Deflate, Self::Brotli, Self::Zstd]
            .into_iter()
            .find(|coding| is(coding.name()))
    }
}

/// What is to be done with a body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Codings {
    /// Nothing: it is sent as it is.
    Identity,
    /// Undo these, the first one first: the last that the sender applied. Never empty.
    Undo(Vec<Coding>),
    /// Nothing: a coding in the list is not known to us, so the body is handed out as it was sent.
    ///
    /// urllib3 undoes the list as though what it does not know were `deflate`, and so loses the body.
    Unknown,
}

/// What the `Content-Encoding` of a response asks for; all its fields are one list (RFC 9110, section 5.3).
///
/// `identity` is skipped but counts towards `max`, so that a list has one length for everybody.
///
/// # Errors
/// Says in urllib3's words how many codings there are where that is more than `max`.
pub fn of_response(headers: &Headers, max: usize) -> Result<Codings, String> {
    let mut codings = Vec::new();
    let mut count = 0;
    for name in headers.elements("content-encoding") {
        count += 1;
        match Coding::named(name) {
            Some(coding) if codings.len() < max => codings.push(coding),
            Some(_) => {}
            None if name.eq_ignore_ascii_case(b"identity") => {}
            None => return Ok(Codings::Unknown),
        }
    }
    if count > max {
        return Err(format!(
            "Too many content encodings in the chain: {count} > {max}"
        ));
    }
    if codings.is_empty() {
        return Ok(Codings::Identity);
    }
    codings.reverse();
    Ok(Codings::Undo(codings))
}

/// The `Accept-Encoding` that names all we can undo (urllib3: `make_headers(accept_encoding=True)`).
#[must_use]
pub const fn accept_encoding() -> &'static str {
    "gzip,deflate,br,zstd"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Limits;
    use Coding::{Brotli, Deflate, Gzip, Zstd};

    fn of(values: &[&str], max: usize) -> Result<Codings, String> {
        let headers = values.iter().map(|value| ("Content-Encoding", *value));
        of_response(&Headers::parse(headers).unwrap(), max)
    }

    #[test]
    fn lists_are_undone_from_their_end() {
        let undo = |codings: &[Coding]| Codings::Undo(codings.to_vec());
        let rows: [(&str, &[&str], Codings); 16] = [
            ("no field", &[], Codings::Identity),
            ("an empty field", &[""], Codings::Identity),
            ("empty elements", &[" , ,"], Codings::Identity),
            ("identity", &["identity"], Codings::Identity),
            (
                "identity twice",
                &["Identity", "identity"],
                Codings::Identity,
            ),
            ("gzip", &["gzip"], undo(&[Gzip])),
            ("its old name", &["x-gzip"], undo(&[Gzip])),
            ("deflate", &["deflate"], undo(&[Deflate])),
            ("br", &["br"], undo(&[Brotli])),
            ("zstd", &["zstd"], undo(&[Zstd])),
            ("any case", &["GZip"], undo(&[Gzip])),
            ("a list", &["deflate, gzip"], undo(&[Gzip, Deflate])),
            (
                "several fields",
                &["br", "identity,gzip", "zstd"],
                undo(&[Zstd, Gzip, Brotli]),
            ),
            ("unknown", &["compress"], Codings::Unknown),
            ("unknown first", &["foo, gzip"], Codings::Unknown),
            ("unknown last", &["gzip, foo"], Codings::Unknown),
        ];
        for (case, values, expected) in rows {
            let max = Limits::default().codings;
            assert_eq!(of(values, max), Ok(expected), "{case}");
        }
    }

    #[test]
    fn cve_2025_66418_a_chain_has_a_limit() {
        let refusal = |text: &str| Err::<Codings, _>(text.to_owned());
        let five = Codings::Undo(vec![Gzip; 5]);
        let rows = [
            ("five", vec!["gzip"; 5], 5, Ok(five)),
            (
                "six",
                vec!["gzip"; 6],
                5,
                refusal("Too many content encodings in the chain: 6 > 5"),
            ),
            (
                "six in one field",
                vec!["gzip,gzip,gzip,gzip,gzip,gzip"],
                5,
                refusal("Too many content encodings in the chain: 6 > 5"),
            ),
            (
                "identity counts",
                vec!["gzip", "identity"],
                1,
                refusal("Too many content encodings in the chain: 2 > 1"),
            ),
            (
                "none allowed",
                vec!["br"],
                0,
                refusal("Too many content encodings in the chain: 1 > 0"),
            ),
            (
                "what is handed out as sent has no limit",
                vec!["gzip,gzip,gzip,gzip,gzip,gzip,foo"],
                5,
                Ok(Codings::Unknown),
            ),
        ];
        for (case, values, max, expected) in rows {
            assert_eq!(of(&values, max), expected, "{case}");
        }
    }

    #[test]
    fn all_that_is_asked_for_can_be_undone() {
        for name in accept_encoding().split(',') {
            assert!(Coding::named(name.as_bytes()).is_some(), "{name}");
        }
    }
}
