//! Which parts are measured, as the command line says it.

use crate::{FULL, QUICK, Scale};

/// Names every part.
pub(crate) const USAGE: &str = "\
usage: urlpool-bench [--quick] [PART...]

Measures urlpool beside what else there is, prints a table and writes it to target/bench/report.json.

  --quick  a few rounds only: enough to see that everything runs, and not to believe the numbers
  PART     one or more of these letters; the default is all of them
             a  small GETs over one connection        e  peak memory of the command
             b  one large body                        f  many origins
             c  start to end of the command           g  one large body in each coding
             d  size of the component                 h  200 slow requests at once
             i  small GETs through a tunnel           j  new TLS connections
             k  a further instance                    l  small GETs behind wasi:http
             m  composed components of WASI 0.3
";

const LETTERS: &str = "abcdefghijklm";

/// What to do.
pub(crate) enum Asked {
    /// Say how to use this.
    Usage,
    /// Measure.
    Measure(Scale, Parts),
}

/// Some of the letters.
pub(crate) struct Parts(String);

impl Asked {
    /// `None` where the arguments make no sense.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Option<Self> {
        let (mut scale, mut letters) = (FULL, String::new());
        for argument in arguments {
            match argument.as_str() {
                "--help" | "-h" => return Some(Self::Usage),
                "--quick" => scale = QUICK,
                part if !part.is_empty() && part.chars().all(|letter| LETTERS.contains(letter)) => {
                    letters.push_str(part);
                }
                _ => return None,
            }
        }
        if letters.is_empty() {
            letters.push_str(LETTERS);
        }
        Some(Self::Measure(scale, Parts(letters)))
    }
}

impl Parts {
    pub(crate) fn has(&self, letter: char) -> bool {
        self.0.contains(letter)
    }
}
