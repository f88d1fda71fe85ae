//! The media type that a file's name tells.

/// What is said of a file of which nothing is known (RFC 2046, section 4.5.1).
const UNKNOWN: &str = "application/octet-stream";

/// The common ones of Python's `mimetypes`, which urllib3 asks.
const TYPES: [(&str, &str); 32] = [
    ("avi", "video/x-msvideo"),
    ("bmp", "image/bmp"),
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("doc", "application/msword"),
    ("gif", "image/gif"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("md", "text/markdown"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("ppt", "application/vnd.ms-powerpoint"),
    ("py", "text/x-python"),
    ("rtf", "application/rtf"),
    ("svg", "image/svg+xml"),
    ("tar", "application/x-tar"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("txt", "text/plain"),
    ("wasm", "application/wasm"),
    ("wav", "audio/x-wav"),
    ("webm", "video/webm"),
    ("webp", "image/webp"),
    ("xls", "application/vnd.ms-excel"),
    ("xml", "text/xml"),
    ("zip", "application/zip"),
];

/// The type for a file of that name, by its extension in any case.
pub(super) fn of_file(name: &str) -> &'static str {
    let file = name.rsplit('/').next().unwrap_or(name);
    // A dot at the start hides a file and begins no extension.
    let extension = file
        .trim_start_matches('.')
        .rsplit_once('.')
        .map(|(_, extension)| extension);
    TYPES
        .iter()
        .find(|(known, _)| extension.is_some_and(|extension| extension.eq_ignore_ascii_case(known)))
        .map_or(UNKNOWN, |(_, media_type)| media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_tells_the_type() {
        for (name, expected) in [
            ("a.txt", "text/plain"),
            ("a.b.TXT", "text/plain"),
            ("picture.jpeg", "image/jpeg"),
            ("a.json", "application/json"),
            ("/x.y/a", UNKNOWN),
            ("x/.txt", UNKNOWN),
            ("..txt", UNKNOWN),
            ("txt", UNKNOWN),
            ("a.", UNKNOWN),
            ("a.unknown", UNKNOWN),
            ("a.txt\r\n", UNKNOWN),
            ("", UNKNOWN),
        ] {
            assert_eq!(of_file(name), expected, "{name:?}");
        }
    }
}
