//! Records in which everything is `None`: its documented default. `..POOL` fills in what a literal does not name.

use crate::urlpool::client::types::{
    ManagerSettings, PoolSettings, RequestOptions, Retries, Timeouts, TlsSettings,
};

/// Of a manager.
pub(crate) const MANAGER: ManagerSettings = ManagerSettings {
    num_pools: None,
    headers: None,
    pool: None,
    max_connections: None,
    host_rules: None,
    hosts: None,
    events: None,
};

/// Of its pools.
pub(crate) const POOL: PoolSettings = PoolSettings {
    maxsize: None,
    block: None,
    pool_timeout: None,
    idle_timeout: None,
    max_lifetime: None,
    headers: None,
    timeouts: None,
    retries: None,
    tls: None,
    proxies: None,
    source_address: None,
    tcp: None,
    address_delay: None,
    address_family: None,
    limits: None,
};

/// Of a request.
pub(crate) const REQUEST: RequestOptions = RequestOptions {
    headers: None,
    timeouts: None,
    retries: None,
    redirects: None,
    pool_timeout: None,
    skip_headers: None,
    chunked: None,
    expect_continue: None,
    decode_content: None,
    enforce_content_length: None,
    max_body: None,
    preload_content: None,
    assert_same_host: None,
};

/// Of either.
pub(crate) const TIMEOUTS: Timeouts = Timeouts {
    connect: None,
    read: None,
    total: None,
    head: None,
    deadline: None,
};

/// Of either.
pub(crate) const RETRIES: Retries = Retries {
    total: None,
    connect: None,
    read: None,
    redirect: None,
    status: None,
    other: None,
    methods: None,
    statuses: None,
    backoff_factor: None,
    backoff_max: None,
    backoff_jitter: None,
    raise_on_redirect: None,
    raise_on_status: None,
    respect_retry_after: None,
    retry_after_max: None,
    remove_headers_on_redirect: None,
};

/// Of pools.
pub(crate) const TLS: TlsSettings = TlsSettings {
    roots: None,
    cert_reqs: None,
    assert_hostname: None,
    assert_fingerprint: None,
    server_hostname: None,
    client_certificates: None,
    client_key: None,
    key_password: None,
    min_version: None,
    max_version: None,
    alpn: None,
    resumption: None,
    key_log: None,
};
