//! Whether our core answers as urllib3 did: the vectors that `vectors.py` has recorded while urllib3's own tests ran.
//!
//! - `vector` is a line of the recording, and `tally` counts what became of it.
//! - `urls`, `headers`, `forms`, `retries`, `pools` and `bodies` know how each kind is asked of core, through its public functions alone.
//!
//! A vector whose answer of ours is another one must be listed with its reason, and one that is listed must differ. Too few vectors are a
//! failure too: they would mean that the recording has lost some.
#![expect(
    clippy::print_stdout,
    reason = "the list of failures is what this is for"
)]

mod bodies;
mod forms;
mod headers;
mod pools;
mod retries;
mod tally;
mod urls;
mod vector;

use std::error::Error;
use std::process::ExitCode;
use std::{env, fs};

use serde_json::Value;

use crate::tally::Tally;
use crate::vector::{Answer, Vector};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (recording, report) = match arguments.as_slice() {
        [recording] => (recording, None),
        [recording, report] => (recording, Some(report)),
        _ => return Err("usage: vectors RECORDING [REPORT]".into()),
    };
    let recording = fs::read_to_string(recording)?;
    let mut lines = recording.lines().map(serde_json::from_str::<Value>);
    let about = lines.next().ok_or("the recording is empty")??;
    let mut tally = Tally::default();
    for line in lines {
        let vector = Vector::new(line?);
        let answer = check(&vector);
        tally.count(&vector, answer);
    }
    let floor = about
        .get("floor")
        .and_then(Value::as_u64)
        .ok_or("the recording has no floor")?;
    let has_passed = tally.end(floor);
    if let Some(report) = report {
        fs::write(report, tally.report(&about))?;
    }
    Ok(if has_passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Asks core what the vector asks.
fn check(vector: &Vector) -> Answer {
    match vector.text("kind")? {
        "url" => urls::whole(vector),
        "reference" => urls::reference(vector),
        "path" => urls::path(vector),
        "make-headers" => headers::made(vector),
        "headers" => headers::edited(vector),
        "form" => forms::laid_out(vector),
        "retry" => retries::decided(vector),
        "lru" => pools::kept(vector),
        "response" => bodies::read(vector),
        other => Err(format!("nothing is known of the kind {other:?}")),
    }
}
