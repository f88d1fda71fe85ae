//! Where the files are that are measured.

use std::path::{Path, PathBuf};

use wasmtime::{Result, bail};

/// The target folder, and what is in it and beside it.
pub(crate) struct Place {
    /// The target folder.
    pub(crate) target: PathBuf,
    /// The binary `urlpool`, of the same profile as this one.
    pub(crate) command: PathBuf,
    dist: PathBuf,
}

impl Place {
    /// This binary is in `target/PROFILE`.
    pub(crate) fn find() -> Result<Self> {
        let this = std::env::current_exe()?;
        let Some(target) = this.ancestors().nth(2) else {
            bail!("{} is not in a target folder", this.display());
        };
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let place = Self {
            target: target.to_owned(),
            command: this.with_file_name("urlpool"),
            dist: package.join("../../dist"),
        };
        for file in [place.command.clone(), place.component()] {
            if !file.is_file() {
                bail!("{} is missing: `make bench` makes it", file.display());
            }
        }
        Ok(place)
    }

    /// `urlpool.wasm`.
    pub(crate) fn component(&self) -> PathBuf {
        self.dist.join("urlpool.wasm")
    }

    /// Another one in `dist/`.
    pub(crate) fn component_named(&self, name: &str) -> PathBuf {
        self.dist.join(name)
    }

    /// A component that cargo built beside it.
    pub(crate) fn guest(&self, name: &str) -> Result<Vec<u8>> {
        let folder = self.target.join("wasm32-wasip2").join("component");
        let file = folder.join(name).with_extension("wasm");
        match std::fs::read(&file) {
            Ok(bytes) => Ok(bytes),
            Err(error) => bail!("{}: {error}; `make bench` makes it", file.display()),
        }
    }

    /// Where Python finds urllib3.
    pub(crate) fn python(&self) -> PathBuf {
        self.target.join("bench").join("python")
    }
}
