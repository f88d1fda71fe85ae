//! What Ctrl-C leaves behind.

use std::path::Path;

use urlpool_tests::{Gate, Origin, Program, Reply};

#[tokio::test]
async fn nothing_half_done_is_left_after_ctrl_c() {
    for (case, before) in [("a new file", None), ("a file that was there", Some("old"))] {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let file = folder.path().join("page");
        if let Some(text) = before {
            std::fs::write(&file, text).expect("a file in a fresh folder");
        }
        let there = names(folder.path());
        let gate = Gate::new();
        let reply = Reply::ok("fine").body_after(&gate);
        let origin = Origin::new().reply(reply).start().await;
        let running = Program::urlpool()
            .args(["-o".into(), file.clone().into_os_string()])
            .args([origin.url("/")]);
        // The head has come, and something is being written.
        let begun = async {
            origin.requested(1).await;
            while names(folder.path()) == there {
                tokio::task::yield_now().await;
            }
        };
        let outcome = running.interrupted_after(begun).await;
        assert_eq!(outcome.status, 130, "{case}");
        let left = std::fs::read_to_string(&file).ok();
        assert_eq!(left.as_deref(), before, "{case}");
        assert_eq!(names(folder.path()), there, "{case}");
        gate.open();
        let again = Program::urlpool()
            .args(["-o".into(), file.clone().into_os_string()])
            .args([origin.url("/")]);
        assert_eq!(again.run().await.status, 0, "{case}");
        let whole = std::fs::read_to_string(&file).expect("a whole file");
        assert_eq!(whole, "fine", "{case}");
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder can be read");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("so can its entries").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
