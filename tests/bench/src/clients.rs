//! The contenders that run natively, and urlpool through its host API.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use urlpool_host::{
    Grants, ManagerSettings, PoolManager, PoolSettings, RequestBuilder, Settings, TlsSettings,
};
use wasmtime::{Result, bail};

use crate::rounds::{Contender, Round};

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
    closes: bool,
}

impl Urlpool {
    /// A manager that trusts these roots, by default those built in; `length` is how much a body has to have.
    pub(crate) async fn new(
        url: String,
        roots: Option<&Path>,
        length: u64,
        reading: Reading,
    ) -> Result<Self> {
        Self::with(url, roots, length, reading, |_| ()).await
    }

    /// The same with more settings.
    pub(crate) async fn with(
        url: String,
        roots: Option<&Path>,
        length: u64,
        reading: Reading,
        set: impl FnOnce(&mut PoolSettings),
    ) -> Result<Self> {
        let roots = roots.map(std::fs::read).transpose()?;
        let mut pool = PoolSettings {
            tls: TlsSettings {
                roots,
                ..TlsSettings::default()
            },
            ..PoolSettings::default()
        };
        set(&mut pool);
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
            closes: false,
        })
    }

    /// Asks over a connection of its own each time. An error unless TLS is then resumed, or is not, as told.
    pub(crate) async fn connecting(mut self, is_resumed: bool) -> Result<Self> {
        self.closes = true;
        self.get().await?;
        let tls = self.request().send().await?.tls().await?;
        if tls.map(|tls| tls.resumed) != Some(is_resumed) {
            bail!("TLS is resumed where it should not be, or the other way round");
        }
        Ok(self)
    }

    fn request(&self) -> RequestBuilder {
        let request = self.manager.get(&self.url);
        if self.closes {
            request.header("Connection", "close")
        } else {
            request
        }
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
        let mut response = self.request().send().await?;
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
    ways: u32,
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
        Ok(Self {
            client,
            url,
            ways: 1,
        })
    }

    /// The same with so many requests at a time.
    pub(crate) fn by(self, ways: u32) -> Self {
        Self { ways, ..self }
    }

    async fn gets(&self, count: u32) -> Result<()> {
        for _ in 0..count {
            let response = self.client.get(&self.url).send().await?;
            if response.error_for_status()?.bytes().await?.is_empty() {
                bail!("{} brought nothing", self.url);
            }
        }
        Ok(())
    }
}

impl Contender for Reqwest {
    fn name(&self) -> String {
        "reqwest, native".to_owned()
    }

    fn round(&mut self, count: u32) -> Round<'_> {
        Box::pin(async move {
            let started = Instant::now();
            let mut all: FuturesUnordered<_> = (0..self.ways)
                .map(|_| self.gets(count / self.ways))
                .collect();
            while let Some(ended) = all.next().await {
                ended?;
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
