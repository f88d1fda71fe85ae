//! wasmtime's own `wasi:http` client, made to trust our root.
//!
//! `http` goes through its own code. For `https` that code trusts the built-in roots only, so here its behaviour is written again with one
//! root more: a connection and a TLS configuration for each request. Only its timers, of ten minutes, are left out.

use std::path::Path;
use std::sync::Arc;

use http_body_util::BodyExt;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::http::uri::{PathAndQuery, Scheme};
use hyper::http::{Request, Response, Uri};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use wasmtime::Result;
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

use crate::clients::trusted;

type Driver = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Answer = Result<(Response<WasiBody>, Driver), Error>;

/// Sends requests as wasmtime does where it is told nothing else.
#[derive(Clone)]
pub(crate) struct Hooks {
    root: Arc<RootCertStore>,
}

impl Hooks {
    pub(crate) fn new(roots: &Path) -> Result<Self> {
        let root = Arc::new(trusted(roots)?);
        Ok(Self { root })
    }
}

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Driver,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        if request.uri().scheme() == Some(&Scheme::HTTPS) {
            return Box::new(send(request, Arc::clone(&self.root)));
        }
        Box::new(async move {
            let (response, driver) = default_send_request(request, options).await?;
            let driver: Driver = Box::new(driver);
            Ok((response.map(BodyExt::boxed_unsync), driver))
        })
    }
}

async fn send(mut request: Request<WasiBody>, root: Arc<RootCertStore>) -> Answer {
    let uri = request.uri();
    let host = uri.host().ok_or(Error::HttpRequestUriInvalid)?.to_owned();
    let port = uri.port_u16().unwrap_or(443);
    let tcp = TcpStream::connect((host.as_str(), port))
        .await
        .map_err(Error::Connect)?;
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.into(),
    };
    roots.extend(root.roots.iter().cloned());
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tls = TlsConnector::from(Arc::new(config))
        .connect(ServerName::try_from(host)?, tcp)
        .await
        .map_err(Error::Tls)?;
    let (mut sender, connection) = http1::handshake::<_, WasiBody>(TokioIo::new(tls)).await?;
    let target = uri.path_and_query().cloned();
    *request.uri_mut() = Uri::from(target.unwrap_or(PathAndQuery::from_static("/")));
    let mut connection = Box::pin(connection);
    let response = tokio::select! {
        response = sender.send_request(request) => response?,
        ended = &mut connection => {
            ended?;
            return Err(Error::ConnectionTerminated);
        }
    };
    let driver: Driver = Box::new(async move { Ok(connection.await?) });
    let body = |body: hyper::body::Incoming| {
        let body = body.map_err(Error::from);
        http_body_util::combinators::UnsyncBoxBody::<Bytes, Error>::new(body)
    };
    Ok((response.map(body), driver))
}
