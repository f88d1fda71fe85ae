//! What is asked of the component: settings and options.

use std::time::Duration;

use urlpool_core::types::{
    AddressFamily, Header, Headers, HostEntry, HostRule, Limit, LimitSettings, ManagerSettings,
    PoolContext, PoolSettings, Reading, Redirects, RequestOptions, SocketSettings, TcpKeepAlive,
    Timeouts, Writing,
};

use super::super::wit;
use super::proxy::proxies;
use super::retries::{self, duration};
use super::tls::tls_settings;

/// How long a wait may take; `None` is as long as it takes.
pub(crate) fn wait(span: Option<Duration>) -> wit::Limit {
    limit(span.map_or(Limit::Unlimited, Limit::After))
}

fn limit(limit: Limit) -> wit::Limit {
    match limit {
        Limit::Unlimited => wit::Limit::Unlimited,
        Limit::After(span) => wit::Limit::After(duration(span)),
    }
}

fn timeouts(timeouts: Timeouts) -> wit::Timeouts {
    wit::Timeouts {
        connect: timeouts.connect.map(limit),
        read: timeouts.read.map(limit),
        head: timeouts.head.map(limit),
        total: timeouts.total.map(limit),
        deadline: timeouts.deadline.map(limit),
    }
}

pub(super) fn header_list(headers: Headers) -> Vec<(String, Vec<u8>)> {
    headers.into_iter().map(Header::into_parts).collect()
}

/// The component's settings for a pool.
pub(crate) fn pool_settings(settings: PoolSettings) -> wit::PoolSettings {
    wit::PoolSettings {
        maxsize: settings.maxsize,
        block: settings.block,
        pool_timeout: settings.pool_timeout.map(limit),
        idle_timeout: settings.idle_timeout.map(limit),
        max_lifetime: settings.max_lifetime.map(limit),
        headers: settings.headers.map(header_list),
        timeouts: Some(timeouts(settings.timeouts)),
        retries: Some(retries::into_wit(settings.retries)),
        tls: Some(tls_settings(settings.tls)),
        proxies: settings.proxies.map(proxies),
        source_address: settings.source_address.map(|address| address.to_string()),
        tcp: Some(tcp(settings.socket)),
        address_delay: settings.address_delay.map(limit),
        address_family: settings.family.map(|family| match family {
            AddressFamily::Any => wit::AddressFamily::Any,
            AddressFamily::Ipv4 => wit::AddressFamily::Ipv4,
            AddressFamily::Ipv6 => wit::AddressFamily::Ipv6,
        }),
        limits: Some(limits(settings.limits)),
    }
}

fn limits(limits: LimitSettings) -> wit::Limits {
    let LimitSettings {
        head,
        fields,
        chunk_line,
        trailers,
        trailer_fields,
        codings,
    } = limits;
    wit::Limits {
        head,
        fields,
        chunk_line,
        trailers,
        trailer_fields,
        codings,
    }
}

fn tcp(settings: SocketSettings) -> wit::TcpSettings {
    wit::TcpSettings {
        keep_alive: settings.keep_alive.map(|keep_alive| match keep_alive {
            TcpKeepAlive::Off => wit::TcpKeepAlive::Off,
            TcpKeepAlive::On(probes) => wit::TcpKeepAlive::On(wit::TcpProbes {
                idle: duration(probes.idle),
                interval: duration(probes.interval),
                count: probes.count,
            }),
        }),
        receive_buffer: settings.receive_buffer,
        send_buffer: settings.send_buffer,
        hop_limit: settings.hop_limit,
    }
}

fn host_entry(entry: HostEntry) -> wit::HostEntry {
    wit::HostEntry {
        name: entry.name,
        addresses: entry.addresses.iter().map(ToString::to_string).collect(),
    }
}

/// The component's settings for a manager.
pub(crate) fn manager_settings(settings: ManagerSettings) -> wit::ManagerSettings {
    wit::ManagerSettings {
        num_pools: settings.num_pools,
        headers: settings.headers.map(header_list),
        pool: Some(pool_settings(settings.pool)),
        max_connections: settings.max_connections,
        host_rules: Some(settings.host_rules.into_iter().map(host_rule).collect()),
        hosts: Some(settings.hosts.into_iter().map(host_entry).collect()),
        events: settings.events,
    }
}

fn host_rule(rule: HostRule) -> wit::HostRule {
    wit::HostRule {
        host: rule.host,
        port: rule.port,
        settings: pool_settings(rule.settings),
    }
}

/// The component's description of a pool.
pub(crate) fn pool_context(context: PoolContext) -> wit::PoolContext {
    wit::PoolContext {
        scheme: context.scheme,
        host: context.host,
        port: context.port,
        settings: Some(pool_settings(context.settings)),
    }
}

/// The component's options for a request. Where [`FieldsIn`](urlpool_core::types::FieldsIn) puts fields is said by the function that is called.
pub(crate) fn request_options(options: RequestOptions) -> wit::RequestOptions {
    let Writing {
        skipped,
        is_chunked,
        expects_continue,
        ..
    } = options.writing;
    let Reading {
        is_raw,
        may_be_short,
        max_body,
        is_preloaded,
    } = options.reading;
    wit::RequestOptions {
        headers: options.headers.map(header_list),
        timeouts: Some(timeouts(options.timeouts)),
        retries: Some(retries::into_wit(options.retries)),
        redirects: Some(match options.redirects {
            Redirects::Follow => wit::Redirects::Follow,
            Redirects::HandOver => wit::Redirects::HandOver,
        }),
        pool_timeout: options.pool_timeout.map(limit),
        skip_headers: Some(wit::SkippedHeaders {
            host: skipped.host,
            accept_encoding: skipped.accept_encoding,
            user_agent: skipped.user_agent,
        }),
        chunked: Some(is_chunked),
        expect_continue: Some(expects_continue),
        decode_content: Some(!is_raw),
        enforce_content_length: Some(!may_be_short),
        max_body,
        preload_content: Some(is_preloaded),
        assert_same_host: Some(!options.may_leave_host),
    }
}
