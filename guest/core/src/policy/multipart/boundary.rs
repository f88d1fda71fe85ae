//! What separates the parts of a form, so that it is the same in the body and in `Content-Type`.

use std::fmt::Write as _;

use crate::types::{Error, Multipart, is_token};

/// The longest that RFC 2046, section 5.1.1 allows.
const MAX_LENGTH: usize = 70;

/// The boundary to use: the one that was given, or else the one that the caller's own `Content-Type` names, or else 32 random hex digits.
///
/// urllib3 sends the caller's `Content-Type` beside whatever boundary it uses, and the body is then unreadable.
///
/// # Errors
/// [`Error::InvalidRequest`] where a boundary has characters it cannot have, or where the caller's `Content-Type` is a multipart type
/// without the boundary that is used.
pub(super) fn choose(
    multipart: &Multipart,
    content_type: Option<&[u8]>,
    random: impl FnOnce() -> [u8; 16],
) -> Result<String, Error> {
    let given = multipart.boundary.as_deref().map(parse).transpose()?;
    let Some(written) = content_type.filter(|value| is_multipart(value)) else {
        return Ok(given.map_or_else(|| hex(random()), str::to_owned));
    };
    let named = parameter(written)
        .and_then(|named| String::from_utf8(named).ok())
        .ok_or_else(|| {
            invalid("the Content-Type of a form does not name its boundary; leave the header out")
        })?;
    match given {
        Some(given) if given != named => Err(invalid(
            "the boundary in Content-Type is not the one that was given; leave one of them out",
        )),
        _ => parse(&named).map(str::to_owned),
    }
}

/// The value of the `Content-Type` that goes with a boundary, quoted where it is no token (RFC 2045, section 5.1).
pub(super) fn content_type(boundary: &str) -> String {
    let quote = if boundary.bytes().all(is_token) {
        ""
    } else {
        "\""
    };
    format!("multipart/form-data; boundary={quote}{boundary}{quote}")
}

/// Takes what RFC 2046, section 5.1.1 allows.
fn parse(boundary: &str) -> Result<&str, Error> {
    let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    let is_long_enough = (1..=MAX_LENGTH).contains(&boundary.len());
    if is_long_enough && boundary.bytes().all(may_stand) && !boundary.ends_with(' ') {
        return Ok(boundary);
    }
    Err(invalid(
        "a boundary has 1 to 70 letters, digits, spaces and characters of '()+_,-./:=?, and no space at its end",
    ))
}

fn is_multipart(content_type: &[u8]) -> bool {
    content_type
        .trim_ascii_start()
        .split_at_checked(10)
        .is_some_and(|(start, _)| start.eq_ignore_ascii_case(b"multipart/"))
}

/// The value of the first `boundary` parameter, unquoted (RFC 9110, section 5.6.6).
fn parameter(content_type: &[u8]) -> Option<Vec<u8>> {
    let mut rest = content_type;
    loop {
        let start = rest.iter().position(|byte| *byte == b';')? + 1;
        rest = rest.get(start..)?.trim_ascii_start();
        let end = rest
            .iter()
            .position(|byte| matches!(byte, b'=' | b';'))
            .unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        rest = after;
        let Some(after) = rest.strip_prefix(b"=") else {
            continue;
        };
        let (value, after) = value(after);
        rest = after;
        if name.eq_ignore_ascii_case(b"boundary") {
            return Some(value);
        }
    }
}

/// A token or a quoted string, and what follows it.
fn value(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let Some(mut rest) = text.strip_prefix(b"\"") else {
        let end = text
            .iter()
            .position(|byte| *byte == b';')
            .unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return (value.trim_ascii().to_vec(), rest);
    };
    let mut value = Vec::new();
    loop {
        match rest {
            [b'\\', escaped, after @ ..] => {
                value.push(*escaped);
                rest = after;
            }
            [b'"', after @ ..] => return (value, after),
            [byte, after @ ..] => {
                value.push(*byte);
                rest = after;
            }
            [] => return (value, rest),
        }
    }
}

fn hex(random: [u8; 16]) -> String {
    random
        .iter()
        .fold(String::with_capacity(32), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

fn invalid(why: &str) -> Error {
    Error::InvalidRequest(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(given: Option<&str>, content_type: Option<&str>) -> Option<String> {
        let multipart = Multipart {
            boundary: given.map(str::to_owned),
            ..Multipart::default()
        };
        choose(&multipart, content_type.map(str::as_bytes), || {
            std::array::from_fn(|at| u8::try_from(at * 17).unwrap())
        })
        .ok()
    }

    #[test]
    fn body_and_content_type_name_the_same_boundary() {
        const RANDOM: &str = "00112233445566778899aabbccddeeff";
        for (case, given, content_type, expected) in [
            ("random", None, None, Some(RANDOM)),
            ("given with a wrong character", Some("!"), None, None),
            ("given", Some("b"), None, Some("b")),
            (
                "another type",
                None,
                Some("text/plain; boundary=x"),
                Some(RANDOM),
            ),
            (
                "another type, given",
                Some("b"),
                Some("text/plain"),
                Some("b"),
            ),
            (
                "too short for a type",
                None,
                Some("multipart"),
                Some(RANDOM),
            ),
            (
                "named",
                None,
                Some("multipart/form-data; boundary=x"),
                Some("x"),
            ),
            (
                "named in another case",
                None,
                Some("Multipart/Mixed;BOUNDARY=x"),
                Some("x"),
            ),
            (
                "named quoted",
                None,
                Some("multipart/form-data; boundary=\"a b\""),
                Some("a b"),
            ),
            (
                "named with escapes",
                None,
                Some("multipart/form-data; boundary=\"a\\b\""),
                Some("ab"),
            ),
            (
                "quote left open",
                None,
                Some("multipart/form-data; boundary=\"ab"),
                Some("ab"),
            ),
            (
                "spaces around",
                None,
                Some("multipart/form-data ;  boundary=x ; y=z"),
                Some("x"),
            ),
            (
                "after others",
                None,
                Some("multipart/form-data; a; b=\";boundary=no\"; boundary=x"),
                Some("x"),
            ),
            (
                "the first counts",
                None,
                Some("multipart/form-data; boundary=x; boundary=y"),
                Some("x"),
            ),
            (
                "named and given alike",
                Some("x"),
                Some("multipart/form-data; boundary=x"),
                Some("x"),
            ),
            (
                "named and given otherwise",
                Some("b"),
                Some("multipart/form-data; boundary=x"),
                None,
            ),
            ("not named", None, Some("multipart/form-data"), None),
            (
                "not named, given",
                Some("b"),
                Some("multipart/form-data"),
                None,
            ),
            (
                "not named by a name that starts alike",
                None,
                Some("multipart/form-data; boundaryx=y"),
                None,
            ),
            (
                "named without characters",
                None,
                Some("multipart/form-data; boundary="),
                None,
            ),
            (
                "named with a wrong character",
                None,
                Some("multipart/form-data; boundary=a@b"),
                None,
            ),
            (
                "named in no text",
                None,
                Some("multipart/form-data; boundary=\u{e9}"),
                None,
            ),
        ] {
            assert_eq!(chosen(given, content_type).as_deref(), expected, "{case}");
        }
    }

    #[test]
    fn a_boundary_has_the_characters_of_rfc_2046() {
        let longest = "x".repeat(MAX_LENGTH);
        let too_long = "x".repeat(MAX_LENGTH + 1);
        for (boundary, accepted) in [
            ("a", true),
            ("azAZ09'()+_,-./:=? x", true),
            (&longest, true),
            (&too_long, false),
            ("", false),
            ("x ", false),
            (" x", true),
            ("a\"b", false),
            ("a\\b", false),
            ("a\r\nX-Injected: y", false),
            ("a\0", false),
            ("\u{e9}", false),
            ("a@b", false),
        ] {
            assert_eq!(
                chosen(Some(boundary), None).is_some(),
                accepted,
                "{boundary:?}"
            );
        }
    }

    #[test]
    fn a_boundary_that_is_no_token_is_quoted() {
        for (boundary, expected) in [
            ("a-b_c'.+", "multipart/form-data; boundary=a-b_c'.+"),
            ("a b", "multipart/form-data; boundary=\"a b\""),
            ("a:b=c?", "multipart/form-data; boundary=\"a:b=c?\""),
        ] {
            let content_type = content_type(boundary);
            assert_eq!(content_type, expected);
            assert_eq!(chosen(None, Some(&content_type)).as_deref(), Some(boundary));
        }
    }
}
