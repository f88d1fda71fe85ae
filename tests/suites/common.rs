//! What several suites need: managers, the usual GET, and failures with a bound on their time.

use std::time::{Duration, Instant};

use urlpool_host::{
    ClientError, Error, Grants, HistoryEntry, Limit, ManagerSettings, PoolManager, PoolSettings,
    RequestBuilder, Response, Retries, Settings, Timeouts, TlsSettings,
};
use urlpool_tests::{Authority, Origin, Reply, fail};

/// No failure takes longer.
pub(crate) const SOON: Duration = Duration::from_secs(2);

/// A URL whose host cannot be looked up: a label has at most 63 characters (RFC 1035, section 2.3.4), so resolvers ask nobody.
pub(crate) const NO_SUCH_NAME: &str =
    "http://a-name-that-is-a-little-longer-than-the-sixty-three-characters-of-a-label.invalid/";

/// A manager with default settings that may connect to anything.
pub(crate) async fn manager() -> PoolManager {
    manager_with(ManagerSettings::default()).await
}

/// The same with settings. What one attempt comes to is what most tests are about; those about retries say which.
pub(crate) async fn manager_with(mut settings: ManagerSettings) -> PoolManager {
    if settings.pool.retries == Retries::default() {
        settings.pool.retries = Retries::off();
    }
    let settings = Settings {
        manager: settings,
        grants: Grants::all(),
        ..Settings::default()
    };
    PoolManager::new(settings).await.expect("settings that fit")
}

/// The same with settings for every pool.
pub(crate) async fn manager_with_pools(pool: PoolSettings) -> PoolManager {
    manager_with(ManagerSettings {
        pool,
        ..ManagerSettings::default()
    })
    .await
}

/// The same where requests are tried again, this often and without a pause.
pub(crate) async fn patient(count: u32) -> PoolManager {
    manager_with_pools(PoolSettings {
        retries: Retries::total(count),
        ..PoolSettings::default()
    })
    .await
}

/// A response's entry in a history.
pub(crate) fn entry(method: &str, url: &str, status: u16, location: Option<&str>) -> HistoryEntry {
    HistoryEntry {
        method: method.into(),
        url: url.into(),
        status: Some(status),
        location: location.map(str::to_owned),
        error: None,
    }
}

/// Settings that trust this root only.
pub(crate) fn trusting(authority: &Authority) -> PoolSettings {
    PoolSettings {
        tls: TlsSettings {
            roots: Some(authority.pem()),
            ..TlsSettings::default()
        },
        ..PoolSettings::default()
    }
}

/// Gets a URL and reads its body.
pub(crate) async fn get(manager: &PoolManager, url: impl Into<String>) -> String {
    let response = manager.get(url).send().await.expect("a response");
    text(response).await
}

/// The rest of a body.
pub(crate) async fn text(response: Response) -> String {
    let bytes = response.bytes().await.expect("a body");
    String::from_utf8(bytes).expect("text")
}

/// What the component said no with.
///
/// # Panics
/// Where the host failed instead: a trap is a bug.
pub(crate) fn refusal(case: &str, error: &Error) -> ClientError {
    error
        .client()
        .unwrap_or_else(|| fail(&format!("{case}: the host failed: {error:?}")))
        .clone()
}

/// Sends, and reads the body if there is a response; something of that must fail, soon.
pub(crate) async fn failure_of(case: &str, request: RequestBuilder) -> ClientError {
    let started = Instant::now();
    let sent = async {
        let response = request.send().await?;
        response.bytes().await
    };
    let ended = tokio::time::timeout(2 * SOON, sent)
        .await
        .unwrap_or_else(|_| fail(&format!("{case}: no answer after {:?}", 2 * SOON)));
    let error = ended.expect_err(case);
    let took = started.elapsed();
    assert!(took < SOON, "{case}: it took {took:?}");
    refusal(case, &error)
}

/// The manager still works.
pub(crate) async fn assert_healthy(case: &str, manager: &PoolManager) {
    let origin = Origin::new().reply(Reply::ok("fine")).start().await;
    assert_eq!(get(manager, origin.url("/")).await, "fine", "after: {case}");
}

/// A limit in milliseconds.
pub(crate) fn millis(count: u64) -> Option<Limit> {
    Some(Limit::After(Duration::from_millis(count)))
}

/// Timeouts that bound the wait for a response.
pub(crate) fn reading_at_most(millis_each: u64) -> Timeouts {
    Timeouts {
        read: millis(millis_each),
        ..Timeouts::default()
    }
}
