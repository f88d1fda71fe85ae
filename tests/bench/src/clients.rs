//! The contenders that run natively, and urlpool through its host API.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use urlpool_host::{Grants, ManagerSettings, PoolManager, PoolSettings, Settings, TlsSettings};
use wasmtime::{Result, bail, format_err};

use crate::place::Place;
use crate::rounds::{Contender, Round};

const LOOP: &str = include_str!("urllib3_loop.py");

/// How urlpool reads a body.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reading {
    /// All at once, with `bytes`.
    Whole,
    /// As it comes, with `chunk`.
    Streamed,
}

/// What calls cost that send nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WithoutNetwork {
    /// A call into the component that does nothing there.
    pub(crate) empty_call: Duration,
    /// Two calls: one that parses a URL and finds its pool, one that lets go of it.
    pub(crate) pool_call: Duration,
}

/// urlpool through `urlpool_host::PoolManager`.
pub(crate) struct Urlpool {
    manager: PoolManager,
    url: String,
    length: u64,
    reading: Reading,
}

impl Urlpool {
    /// A manager that trusts these roots; `length` is how much a body has to have.
    pub(crate) async fn new(
        url: String,
        roots: &Path,
        length: u64,
        reading: Reading,
    ) -> Result<Self> {
        let roots = Some(std::fs::read(roots)?);
        let pool = PoolSettings {
            tls: TlsSettings { roots },
            ..PoolSettings::default()
        };
        let settings = Settings {
            manager: ManagerSettings {
                pool,
                ..ManagerSettings::default()
            },
            grants: Grants::all(),
            ..Settings::default()
        };
        Ok(Self {
            manager: PoolManager::new(settings).await?,
            url,
            length,
            reading,
        })
    }

    /// Times calls of the same manager that send nothing.
    pub(crate) async fn time_without_network(&self, calls: u32) -> Result<WithoutNetwork> {
        let start = Instant::now();
        for _ in 0..calls {
            self.manager.num_pools().await?;
        }
        let empty_call = start.elapsed() / calls;
        let start = Instant::now();
        for _ in 0..calls {
            drop(self.manager.connection_from_url(&self.url, None).await?);
        }
        Ok(WithoutNetwork {
            empty_call,
            pool_call: start.elapsed() / calls,
        })
    }

    async fn get(&self) -> Result<()> {
        let mut response = self.manager.get(&self.url).send().await?;
        if response.status() != 200 {
            bail!("{} was answered with {}", self.url, response.status());
        }
        let received = match self.reading {
            Reading::Whole => response.bytes().await?.len() as u64,
            Reading::Streamed => {
                let mut received = 0;
                while let Some(chunk) = response.chunk().await? {
                    received += chunk.len() as u64;
                }
                received
            }
        };
        if received != self.length {
            bail!("{} brought {received} bytes", self.url);
        }
        Ok(())
    }
}

impl Contender for Urlpool {
    fn name(&self) -> String {
        match self.reading {
            Reading::Whole => "urlpool-host".to_owned(),
            Reading::Streamed => "urlpool-host, chunk()".to_owned(),
        }
    }

    fn round(&mut self, count: u32) -> Round<'_> {
        Box::pin(async move {
            let started = Instant::now();
            for _ in 0..count {
                self.get().await?;
            }
            Ok(started.elapsed())
        })
    }
}

/// reqwest with rustls and ring, HTTP/1.1.
pub(crate) struct Reqwest {
    client: reqwest::Client,
    url: String,
}

impl Reqwest {
    pub(crate) fn new(url: String, roots: &Path) -> Result<Self> {
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(trusted(roots)?)
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .http1_only()
            .no_proxy()
            .build()?;
        Ok(Self { client, url })
    }
}

impl Contender for Reqwest {
    fn name(&self) -> String {
        "reqwest, native".to_owned()
    }

    fn round(&mut self, count: u32) -> Round<'_> {
        Box::pin(async move {
            let started = Instant::now();
            for _ in 0..count {
                let response = self.client.get(&self.url).send().await?;
                if response.error_for_status()?.bytes().await?.is_empty() {
                    bail!("{} brought nothing", self.url);
                }
            }
            Ok(started.elapsed())
        })
    }
}

/// The certificates in a PEM file.
pub(crate) fn trusted(roots: &Path) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(roots)? {
        store.add(certificate?)?;
    }
    Ok(store)
}

/// CPython's urllib3 in a process of its own, which times itself.
pub(crate) struct Urllib3 {
    name: String,
    numbers: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Urllib3 {
    pub(crate) async fn start(place: &Place, url: &str, roots: &Path) -> Result<Self> {
        let mut process = Command::new("python3")
            .args(["-c", LOOP, url])
            .arg(roots)
            .env("PYTHONPATH", place.python())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (Some(numbers), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            bail!("python3 has no pipes");
        };
        let mut urllib3 = Self {
            name: String::new(),
            numbers,
            answers: BufReader::new(answers).lines(),
            _process: process,
        };
        urllib3.name = urllib3.answer().await?;
        Ok(urllib3)
    }

    async fn answer(&mut self) -> Result<String> {
        let line = self.answers.next_line().await?;
        line.ok_or_else(|| format_err!("python3 ended early"))
    }
}

impl Contender for Urllib3 {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn round(&mut self, count: u32) -> Round<'_> {
        Box::pin(async move {
            let line = format!("{count}\n");
            self.numbers.write_all(line.as_bytes()).await?;
            Ok(Duration::from_nanos(self.answer().await?.parse()?))
        })
    }
}
