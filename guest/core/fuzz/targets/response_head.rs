//! A head is the same however it arrives, and whatever is taken for one keeps the promises that the rest of the client relies on.
#![no_main]

use libfuzzer_sys::fuzz_target;
use urlpool_core::machine::h1::{HeadReader, shown_response};
use urlpool_core::types::Header;
use urlpool_fuzz::{first_line, pieces};

fuzz_target!(|input: &[u8]| {
    let (sizes, bytes) = first_line(input);
    // The reader looks only where a line has ended, so only then must its answers agree.
    let bytes = [bytes, b"\n"].concat();
    let whole = HeadReader::default().read(&bytes);

    let (mut reader, mut arrived, mut pieced) = (HeadReader::default(), 0, Ok(None));
    for piece in pieces(sizes, &bytes) {
        arrived += piece.len();
        pieced = reader.read(&bytes[..arrived]);
        if pieced != Ok(None) {
            break;
        }
    }
    // What is quoted in a refusal is as much as was there.
    assert_eq!(whole.as_ref().ok(), pieced.as_ref().ok());

    let Ok(Some(head)) = whole else { return };
    assert!(head.length <= bytes.len() && bytes[..head.length].ends_with(b"\n"));
    assert!((100..=999).contains(&head.line.status));
    assert!(!head.line.reason.contains(|c: char| c < ' ' && c != '\t'));
    assert!(head.headers.len() <= 100);
    for header in &head.headers {
        assert!(
            Header::parse(header.name(), header.value()).is_ok(),
            "{header:?}"
        );
    }
    let shown = shown_response(&head.line, &head.headers);
    assert!(shown.lines().count() <= 1 + head.headers.len());
});
