//! Whether a response sends us elsewhere, and what is sent there. The only module that reads `Location`.

use crate::types::{Headers, Method, Url, latin1};

/// Fields that describe content, which a request without content must not have (urllib3: `_prepare_for_method_change`), and the one that asks
/// whether to send it (RFC 9110, section 10.1.1).
const CONTENT_FIELDS: [&str; 9] = [
    "content-encoding",
    "content-language",
    "content-location",
    "content-type",
    "content-length",
    "digest",
    "expect",
    "last-modified",
    "transfer-encoding",
];

/// Where a response leads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Direction {
    /// Nowhere: it is the answer.
    Here,
    /// To this reference, relative to the request's URL.
    To(String),
}

/// What is sent to where a redirect leads.
#[derive(Clone, Debug)]
pub struct Hop {
    /// Where to.
    pub url: Url,
    /// How.
    pub method: Method,
    /// The caller's fields, less those that must not go there.
    pub headers: Headers,
    /// Whether the content is sent again.
    pub keeps_content: bool,
}

/// Decides by the status (RFC 9110, section 15.4). An empty `Location` leads nowhere, as in urllib3.
#[must_use]
pub fn direction(status: u16, headers: &Headers) -> Direction {
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return Direction::Here;
    }
    match headers.first("location") {
        None | Some(b"") => Direction::Here,
        Some(location) => Direction::To(latin1(location)),
    }
}

/// What to send to `location`.
///
/// Only 303 changes the method, and then the content goes too: urllib3's rule, narrower than RFC 9110, section 15.4 allows; but HEAD stays
/// HEAD. Where the origin changes, `removed` and the caller's `Host`, which named the old one, are left out.
///
/// # Errors
/// Says what is wrong where the location is no URL that we can ask.
pub fn hop(
    status: u16,
    location: &str,
    method: &Method,
    url: &Url,
    headers: &Headers,
    removed: &[String],
) -> Result<Hop, String> {
    let target = url
        .join(location)
        .map_err(|error| format!("the redirect's Location cannot be followed: {error}"))?;
    let becomes_get = status == 303 && !method.is("HEAD");
    let keeps_content = status != 303;
    let changes_origin = target.origin() != url.origin();
    let stays = |name: &str| {
        let is_secret = removed
            .iter()
            .any(|removed| removed.eq_ignore_ascii_case(name));
        let is_host = name.eq_ignore_ascii_case("host");
        let is_content = CONTENT_FIELDS
            .iter()
            .any(|field| field.eq_ignore_ascii_case(name));
        !(changes_origin && (is_secret || is_host)) && (keeps_content || !is_content)
    };
    let headers = headers
        .iter()
        .filter(|header| stays(header.name()))
        .cloned()
        .collect();
    Ok(Hop {
        url: target,
        method: if becomes_get {
            Method::get()
        } else {
            method.clone()
        },
        headers,
        keeps_content,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRETS: [&str; 3] = ["cookie", "authorization", "proxy-authorization"];

    fn follow(
        status: u16,
        method: &str,
        from: &str,
        location: &str,
        fields: &[(&str, &str)],
    ) -> Result<Hop, String> {
        let removed = SECRETS.map(str::to_owned);
        hop(
            status,
            location,
            &Method::parse(method).unwrap(),
            &Url::parse(from).unwrap(),
            &Headers::parse(fields.iter().copied()).unwrap(),
            &removed,
        )
    }

    fn names(hop: &Hop) -> Vec<&str> {
        hop.headers.iter().map(crate::types::Header::name).collect()
    }

    #[test]
    fn five_statuses_redirect_where_there_is_a_location() {
        let at = |location: &str| Headers::parse([("LOCATION", location)]).unwrap();
        let to = |location: &str| Direction::To(location.into());
        for (status, headers, expected) in [
            (301, at("/x"), to("/x")),
            (302, at("/x"), to("/x")),
            (303, at("/x"), to("/x")),
            (307, at("/x"), to("/x")),
            (308, at("/x"), to("/x")),
            (300, at("/x"), Direction::Here),
            (304, at("/x"), Direction::Here),
            (305, at("/x"), Direction::Here),
            (306, at("/x"), Direction::Here),
            (200, at("/x"), Direction::Here),
            (201, at("/x"), Direction::Here),
            (302, at(""), Direction::Here),
            (302, Headers::default(), Direction::Here),
        ] {
            assert_eq!(
                direction(status, &headers),
                expected,
                "{status} {headers:?}"
            );
        }
        let raw = Headers::parse([("location", b"/\xe9".to_vec())]).unwrap();
        assert_eq!(direction(302, &raw), to("/\u{e9}"), "latin-1");
    }

    #[test]
    fn locations_are_resolved_like_links() {
        for (location, expected) in [
            ("/y", "http://a.test/y"),
            ("y", "http://a.test/dir/y"),
            ("../y", "http://a.test/y"),
            ("../../../y", "http://a.test/y"),
            ("./", "http://a.test/dir/"),
            ("?z=1", "http://a.test/dir/x?z=1"),
            ("#top", "http://a.test/dir/x?q=1"),
            ("y#top", "http://a.test/dir/y"),
            ("y?u=http://b.test/", "http://a.test/dir/y?u=http://b.test/"),
            ("//b.test/y", "http://b.test/y"),
            ("//b.test", "http://b.test/"),
            ("https://b.test:444/y?z", "https://b.test:444/y?z"),
            ("HTTPS://B.test/", "https://b.test/"),
            ("/a b\t\"c\"", "http://a.test/a%20b%09%22c%22"),
            ("/\u{e9}", "http://a.test/%C3%A9"),
            ("/%e9", "http://a.test/%E9"),
            ("/\\b.test/", "http://a.test/%5Cb.test/"),
            ("\\\\b.test/", "http://a.test/dir/%5C%5Cb.test/"),
            ("x:y", "refused"),
            ("./x:y", "http://a.test/dir/x:y"),
            ("/x:y@z", "http://a.test/x:y@z"),
            ("ftp://b.test/", "refused"),
            ("javascript:alert(1)", "refused"),
            ("http:y", "refused"),
            ("http:///y", "refused"),
            ("//", "refused"),
            ("//user@/", "refused"),
            ("http://[::1", "refused"),
            ("http://b.test:99999/", "refused"),
            ("http://b\r\n.test/", "refused"),
        ] {
            let outcome = follow(302, "GET", "http://u:p@a.test/dir/x?q=1", location, &[]);
            let shown =
                outcome.map_or_else(|_| "refused".to_owned(), |hop| hop.url.as_str().to_owned());
            assert_eq!(shown, expected, "{location:?}");
        }
    }

    #[test]
    fn only_303_changes_the_request() {
        let fields = [
            ("Content-Type", "text/plain"),
            ("X-A", "1"),
            ("transfer-ENCODING", "chunked"),
            ("Digest", "x"),
            ("Expect", "100-continue"),
        ];
        for (status, method, becomes, kept) in [
            (301, "POST", "POST", 5),
            (302, "POST", "POST", 5),
            (307, "PUT", "PUT", 5),
            (308, "POST", "POST", 5),
            (303, "POST", "GET", 1),
            (303, "PUT", "GET", 1),
            (303, "GET", "GET", 1),
            (303, "HEAD", "HEAD", 1),
            (303, "head", "head", 1),
        ] {
            let hop = follow(status, method, "http://a.test/", "/y", &fields).unwrap();
            assert_eq!(hop.method.as_str(), becomes, "{status} {method}");
            assert_eq!(names(&hop).len(), kept, "{status} {method}");
            assert_eq!(hop.keeps_content, status != 303, "{status} {method}");
        }
    }

    #[test]
    fn credentials_stay_within_the_origin() {
        for (case, from, location, kept) in [
            ("same origin", "https://a.test/x", "/y", true),
            (
                "default port spelled out",
                "https://a.test/x",
                "https://a.test:443/y",
                true,
            ),
            ("another case", "https://a.test/x", "https://A.TEST/y", true),
            ("other host", "https://a.test/x", "https://b.test/", false),
            (
                "subdomain",
                "https://a.test/x",
                "https://www.a.test/",
                false,
            ),
            (
                "other port",
                "https://a.test/x",
                "https://a.test:8443/",
                false,
            ),
            ("downgrade", "https://a.test/x", "http://a.test/", false),
            ("upgrade", "http://a.test/x", "https://a.test/", false),
        ] {
            let fields = [
                ("aUtHoRiZaTiOn", "s"),
                ("Cookie", "s"),
                ("proxy-Authorization", "s"),
                ("HOST", "virtual"),
                ("X-Kept", "1"),
            ];
            let hop = follow(302, "GET", from, location, &fields).unwrap();
            let expected = if kept { 5 } else { 1 };
            assert_eq!(names(&hop).len(), expected, "{case}: {:?}", names(&hop));
        }
    }

    #[test]
    fn userinfo_stays_within_the_origin_too() {
        let credentials = |location| {
            let hop = follow(302, "GET", "http://user:secret@a.test/", location, &[]).unwrap();
            hop.url.credentials()
        };
        assert_eq!(credentials("/y").as_deref(), Some(&b"user:secret"[..]));
        assert_eq!(
            credentials("http://evil:x@a.test/y").as_deref(),
            Some(&b"user:secret"[..]),
            "a location's own is ignored"
        );
        assert_eq!(credentials("http://b.test/"), None);
        assert_eq!(credentials("http://me:x@b.test/"), None);
    }

    #[test]
    fn a_refusal_shows_no_userinfo() {
        let refusal = follow(
            302,
            "GET",
            "http://a.test/",
            "ftp://user:hunter2@b.test/",
            &[],
        )
        .unwrap_err();
        assert!(!refusal.contains("hunter2"), "{refusal}");
        let refusal = follow(
            302,
            "GET",
            "http://a.test/",
            "http://user:hunter2@b.test:x/",
            &[],
        )
        .unwrap_err();
        assert!(!refusal.contains("hunter2"), "{refusal}");
    }
}
