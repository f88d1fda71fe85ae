//! A folder with copies of what the commands of `examples/README.md` use, so that they leave nothing behind in ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use urlpool_tests::{Program, dist};

use crate::doors::{built, targets};

/// Making a component of a script starts its interpreter, and what it comes to has megabytes to be compiled.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// The folder, which goes with this.
pub(super) struct Workshop {
    folder: TempDir,
    page: String,
}

impl Workshop {
    /// Copies `examples/` and `wit/`; what is in `dist/` is used where it is.
    pub(super) async fn open() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let root = root();
        let copied = Program::from_file("cp")
            .args(["-r".into(), root.join("examples"), root.join("wit")])
            .args([folder.path()])
            .run()
            .await;
        assert_eq!(copied.status, 0, "exit status");
        std::os::unix::fs::symlink(root.join("dist"), folder.path().join("dist"))
            .expect("a temporary folder takes links");
        let page = root.join("examples").join("README.md");
        let page = fs::read_to_string(page).expect("the page of the examples");
        Self { folder, page }
    }

    /// A path in it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Gives an example the packages of npm that set-up has installed for it, by its own `package.json`, under this name.
    pub(super) fn install(&self, example: &str, installed: &str) {
        let modules = built(&format!(
            "interop/{installed}/node_modules/.package-lock.json"
        ));
        let modules = modules.parent().expect("the file is in the folder");
        let here = self.path(example).join("node_modules");
        std::os::unix::fs::symlink(modules, here).expect("a temporary folder takes links");
    }

    /// Runs those commands of the page that begin in this folder, all but what set-up has done.
    pub(super) async fn follow(&self, example: &str) {
        let commands = self.commands(example);
        let tools = targets().join("interop");
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}/componentize/bin:{path}", tools.display());
        let done = Program::from_file("sh")
            .args(["-euc", &commands])
            .directory(self.folder.path())
            .env("PATH", path)
            .env("PYTHONPATH", tools.join("componentize"))
            .patience(PATIENCE)
            .run()
            .await;
        assert_eq!(done.status, 0, "exit status");
    }

    fn commands(&self, example: &str) -> String {
        let first = format!("cd {example}\n");
        self.page
            .split("```sh\n")
            .skip(1)
            .filter_map(|rest| rest.split("```").next())
            .find(|block| block.starts_with(&first))
            .expect("the page says how the example is built")
            .replace("npm install\n", "")
    }
}

fn root() -> PathBuf {
    let file = dist("urlpool.wasm");
    let root = file.ancestors().nth(2).map(Path::to_owned);
    root.expect("dist/ is in the root")
}
