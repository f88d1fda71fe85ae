//! A server of somebody else's, run from its start to the end of all rows.
//!
//! Such a server takes the number of a port, not a socket. The port was free a moment before; where somebody else was faster, the server is
//! started again with others.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a server may take until it listens.
const START: Duration = Duration::from_secs(10);
/// How long it may take to end when it is asked to.
const END: Duration = Duration::from_secs(2);
/// How often either is looked at.
const PACE: Duration = Duration::from_millis(10);
/// How often other ports are tried.
const TRIES: usize = 3;

/// A process that is ended when this is dropped.
pub(crate) struct Daemon {
    child: Child,
}

impl Daemon {
    /// Starts a command; what it prints goes to `log`.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Result<Self, String> {
        let output = File::create(log).map_err(|error| error.to_string())?;
        let errors = output.try_clone().map_err(|error| error.to_string())?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        Ok(Self { child })
    }

    /// Starts what `command` makes of that many ports, and waits until it listens on all of them.
    pub(crate) fn listening<const N: usize>(
        log: &Path,
        command: impl Fn([u16; N]) -> Command,
    ) -> Result<(Self, [u16; N]), String> {
        let mut told = String::new();
        for _ in 0..TRIES {
            let ports = free_ports();
            let mut daemon = Self::start(&mut command(ports), log)?;
            if daemon.until(|| ports.iter().all(|port| connects(*port))) {
                return Ok((daemon, ports));
            }
            drop(daemon);
            told = fs::read_to_string(log).unwrap_or_default();
        }
        Err(format!("it did not listen: {}", told.trim()))
    }

    /// Waits for something that it must do soon; false where it ended or took too long.
    pub(crate) fn until(&mut self, mut done: impl FnMut() -> bool) -> bool {
        let started = Instant::now();
        while started.elapsed() < START {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return false;
            }
            if done() {
                return true;
            }
            thread::sleep(PACE);
        }
        false
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Asked, it ends its children too.
        let asked = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let started = Instant::now();
        while asked.is_ok() && started.elapsed() < END {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(PACE);
        }
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("a server could not be ended: {error}");
        }
    }
}

/// They are all different: each is held until all are known.
fn free_ports<const N: usize>() -> [u16; N] {
    let held = [(); N].map(|()| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback has a free port")
    });
    held.map(|listener| listener.local_addr().expect("a bound listener").port())
}

fn connects(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, START).is_ok()
}
