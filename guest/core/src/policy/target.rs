//! Which form the second word of a request line has (RFC 9112, section 3.2).

use crate::types::{Origin, Url};

/// What a server at `first_hop` is asked for: path and query of its own URLs, the whole URL of any other, as a forwarding proxy is asked.
#[must_use]
pub fn of_request<'a>(url: &'a Url, first_hop: &Origin) -> &'a str {
    if url.origin() == first_hop {
        url.target()
    } else {
        url.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_origin_is_asked_in_origin_form() {
        for (url, hop, expected) in [
            ("http://a.test/x?y", "http://a.test/", "/x?y"),
            ("http://a.test:80/x#f", "http://A.test/", "/x"),
            ("http://a.test/x", "https://a.test/", "http://a.test/x"),
            ("http://a.test:81/x", "http://a.test/", "http://a.test:81/x"),
            ("http://u:p@b.test/x", "http://a.test/", "http://b.test/x"),
        ] {
            let (url, hop) = (Url::parse(url).unwrap(), Url::parse(hop).unwrap());
            assert_eq!(of_request(&url, hop.origin()), expected);
        }
    }
}
