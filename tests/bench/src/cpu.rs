//! One CPU for client and server, while requests are timed.
//!
//! Left to the kernel, the two sit now on one CPU and now on two, where each turn wakes a halted core: the same loop takes 28 or 67
//! microseconds a request, and the medians tell which it was and not who is faster. On one CPU nothing waits for a core to wake: what is
//! left is the work, the client's and the server's.

use std::process::{Command, Stdio};

use wasmtime::{Result, bail, format_err};

/// This process, and those that it starts meanwhile, stay on one CPU until this is dropped.
pub(crate) struct OneCpu {
    before: String,
}

impl OneCpu {
    /// Takes the first CPU that this process may use.
    pub(crate) fn take() -> Result<Self> {
        let status = std::fs::read_to_string("/proc/self/status")?;
        let before = status
            .lines()
            .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
            .ok_or_else(|| format_err!("the kernel tells no CPUs"))?
            .trim()
            .to_owned();
        let first = before.split([',', '-']).next().unwrap_or_default();
        allow(first)?;
        Ok(Self { before })
    }
}

impl Drop for OneCpu {
    fn drop(&mut self) {
        if let Err(error) = allow(&self.before) {
            eprintln!("bench: {error}");
        }
    }
}

/// taskset goes through the list of threads, and fails where one of them ends meanwhile.
const ATTEMPTS: u32 = 10;

fn allow(cpus: &str) -> Result<()> {
    let mut complaint = Vec::new();
    for _ in 0..ATTEMPTS {
        let set = Command::new("taskset")
            .args(["-a", "-c", "-p", cpus, &std::process::id().to_string()])
            .stdout(Stdio::null())
            .output();
        match set {
            Ok(ended) if ended.status.success() => return Ok(()),
            Ok(ended) => complaint = ended.stderr,
            Err(error) => bail!("taskset (Debian: util-linux) does not start: {error}"),
        }
    }
    bail!("taskset: {}", String::from_utf8_lossy(&complaint).trim())
}
