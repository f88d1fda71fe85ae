//! Header fields in the order and case they were given.

use super::field::check;
use super::{Header, Together};
use crate::types::Error;

/// Header fields in order; a name may occur more than once, each time as it was written (urllib3: `HTTPHeaderDict`).
///
/// ```
/// use urlpool_core::types::Headers;
///
/// # fn main() -> Result<(), urlpool_core::types::Error> {
/// let headers = Headers::parse([("Via", "1.1 a"), ("via", "1.1 b, 1.1 c")])?;
/// assert_eq!(headers.first("VIA"), Some(&b"1.1 a"[..]));
/// assert_eq!(headers.elements("via").count(), 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Headers(pub(super) Vec<Header>);

impl Headers {
    /// Fields from pairs that a caller wrote.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for the first pair that [`Header::parse`] refuses.
    pub fn parse<N: AsRef<str>, V: AsRef<[u8]>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, Error> {
        let mut together = Together::default();
        for (name, value) in pairs {
            let (name, value) = (name.as_ref(), value.as_ref());
            check(name, value)?;
            together.push(name, value);
        }
        Ok(together.into_fields().collect())
    }

    /// Adds a field at the end, as it is written. [`Headers::add`] is urllib3's `add`.
    pub fn push(&mut self, header: Header) {
        self.0.push(header);
    }

    /// Whether a field of that name, whatever its case, is there.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    /// The value of the first field of that name.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.0
            .iter()
            .find(|header| header.is(name))
            .map(Header::value)
    }

    /// The values of all fields of that name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.0
            .iter()
            .filter(move |header| header.is(name))
            .map(Header::value)
    }

    /// All fields in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Header> {
        self.0.iter()
    }

    /// How many fields there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no field.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The comma-separated elements of all fields of that name, trimmed, empty ones left out (RFC 9110, section 5.6.1).
    pub fn elements<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.all(name)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|element| !element.is_empty())
    }
}

impl FromIterator<Header> for Headers {
    fn from_iter<I: IntoIterator<Item = Header>>(headers: I) -> Self {
        Self(headers.into_iter().collect())
    }
}

impl IntoIterator for Headers {
    type Item = Header;
    type IntoIter = std::vec::IntoIter<Header>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Headers {
    type Item = &'a Header;
    type IntoIter = std::slice::Iter<'a, Header>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_split_lists_over_several_lines() {
        let headers =
            Headers::parse([("Connection", "keep-alive, "), ("connection", " close,x")]).unwrap();
        assert_eq!(
            headers.elements("Connection").collect::<Vec<_>>(),
            [&b"keep-alive"[..], b"close", b"x"]
        );
    }
}
