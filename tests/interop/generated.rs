//! Whether shells and a reader of manual pages take what the native command generates for them.

use urlpool_tests::Program;

use crate::doors::native;
use crate::tally::Tally;

/// What is generated, and who reads it from standard input, only to find mistakes.
const READERS: [(&str, &[&str]); 4] = [
    ("bash", &["bash", "-n"]),
    ("zsh", &["zsh", "-n"]),
    ("fish", &["fish", "--no-execute"]),
    ("man", &["mandoc", "-T", "lint", "-W", "warning"]),
];

/// A row for each.
pub(crate) async fn rows(tally: &mut Tally) {
    for (kind, command) in READERS {
        let (program, arguments) = command.split_first().expect("a program");
        let look = Program::from_file("sh").args(["-c", "command -v \"$1\"", "sh", program]);
        if look.run().await.status != 0 {
            tally.missing(program, "it is not installed");
            continue;
        }
        let name = format!("urlpool --generate {kind}: {program} finds no mistake");
        let reader = Program::from_file(program).args(arguments.iter().copied());
        tally
            .row(&name, async move {
                let generated = native().args(["--generate", kind]).run().await;
                assert_eq!(generated.status, 0, "exit status");
                assert!(!generated.stdout.is_empty(), "nothing is generated");
                let read = reader.input(generated.stdout.clone()).run().await;
                let found = read.stdout_text() + &read.stderr_text();
                // A page has the date of nothing, so that the same is generated each time.
                let mistakes = found.lines().filter(|line| !line.contains("missing date"));
                assert_eq!(mistakes.count(), 0, "{found}");
            })
            .await;
    }
}
