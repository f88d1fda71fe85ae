//! What a caller asks for: settings and options.

use std::time::Duration;

use urlpool_core::types as core;

use super::error::Outcome;
use super::proxy::proxies;
use super::retries;
use super::tls::tls_settings;
use crate::bindings::exports::urlpool::client::types as wit;

pub(crate) fn manager_settings(settings: wit::ManagerSettings) -> Outcome<core::ManagerSettings> {
    let wit::ManagerSettings {
        num_pools,
        headers,
        pool,
        max_connections,
        host_rules,
        hosts,
        events,
    } = settings;
    Ok(core::ManagerSettings {
        num_pools,
        headers: headers.map(default_headers).transpose()?,
        pool: pool.map(pool_settings).transpose()?.unwrap_or_default(),
        max_connections,
        host_rules: host_rules
            .unwrap_or_default()
            .into_iter()
            .map(host_rule)
            .collect::<Outcome<_>>()?,
        hosts: hosts
            .unwrap_or_default()
            .into_iter()
            .map(host_entry)
            .collect::<Outcome<_>>()?,
        events,
    })
}

fn host_entry(entry: wit::HostEntry) -> Outcome<core::HostEntry> {
    let wit::HostEntry { name, addresses } = entry;
    let parse = |address: String| {
        address.parse().map_err(|_| {
            core::Error::InvalidSettings(format!(
                "The host {name:?} cannot be at {address:?}, which is no IP address"
            ))
        })
    };
    Ok(core::HostEntry {
        addresses: addresses.into_iter().map(parse).collect::<Outcome<_>>()?,
        name,
    })
}

/// Headers that are part of settings: what is wrong with them is wrong with the settings.
pub(super) fn default_headers(headers: Vec<wit::Header>) -> Outcome<core::Headers> {
    core::Headers::parse(headers).map_err(|error| core::Error::InvalidSettings(error.to_string()))
}

fn host_rule(rule: wit::HostRule) -> Outcome<core::HostRule> {
    let wit::HostRule {
        host,
        port,
        settings,
    } = rule;
    Ok(core::HostRule {
        host,
        port,
        settings: pool_settings(settings)?,
    })
}

pub(crate) fn pool_settings(settings: wit::PoolSettings) -> Outcome<core::PoolSettings> {
    let wit::PoolSettings {
        maxsize,
        block,
        pool_timeout,
        idle_timeout,
        max_lifetime,
        headers,
        timeouts: spans,
        retries: again,
        tls,
        proxies: ways,
        source_address,
        tcp,
        address_delay,
        address_family,
        limits,
    } = settings;
    Ok(core::PoolSettings {
        maxsize,
        block,
        pool_timeout: pool_timeout.map(limit),
        idle_timeout: idle_timeout.map(limit),
        max_lifetime: max_lifetime.map(limit),
        headers: headers.map(default_headers).transpose()?,
        timeouts: timeouts(spans),
        retries: again.map(retries::from_wit).unwrap_or_default(),
        tls: tls.map(tls_settings).unwrap_or_default(),
        proxies: ways.map(proxies).transpose()?,
        source_address: source_address
            .map(|text| core::SocketOptions::source(&text))
            .transpose()?,
        socket: tcp.map(socket).unwrap_or_default(),
        address_delay: address_delay.map(limit),
        family: address_family.map(family),
        limits: limits.map(bounds).unwrap_or_default(),
    })
}

const fn bounds(limits: wit::Limits) -> core::LimitSettings {
    let wit::Limits {
        head,
        fields,
        chunk_line,
        trailers,
        trailer_fields,
        codings,
    } = limits;
    core::LimitSettings {
        head,
        fields,
        chunk_line,
        trailers,
        trailer_fields,
        codings,
    }
}

fn socket(settings: wit::TcpSettings) -> core::SocketSettings {
    let wit::TcpSettings {
        keep_alive,
        receive_buffer,
        send_buffer,
        hop_limit,
    } = settings;
    core::SocketSettings {
        keep_alive: keep_alive.map(|keep_alive| match keep_alive {
            wit::TcpKeepAlive::Off => core::TcpKeepAlive::Off,
            wit::TcpKeepAlive::On(probes) => core::TcpKeepAlive::On(core::Probes {
                idle: Duration::from_nanos(probes.idle),
                interval: Duration::from_nanos(probes.interval),
                count: probes.count,
            }),
        }),
        receive_buffer,
        send_buffer,
        hop_limit,
    }
}

const fn family(family: wit::AddressFamily) -> core::AddressFamily {
    match family {
        wit::AddressFamily::Any => core::AddressFamily::Any,
        wit::AddressFamily::Ipv4 => core::AddressFamily::Ipv4,
        wit::AddressFamily::Ipv6 => core::AddressFamily::Ipv6,
    }
}

pub(crate) fn pool_context(context: wit::PoolContext) -> Outcome<core::PoolContext> {
    let wit::PoolContext {
        scheme,
        host,
        port,
        settings,
    } = context;
    Ok(core::PoolContext {
        scheme,
        host,
        port,
        settings: settings.map(pool_settings).transpose()?.unwrap_or_default(),
    })
}

pub(crate) fn request_options(options: wit::RequestOptions) -> Outcome<core::RequestOptions> {
    let wit::RequestOptions {
        headers,
        timeouts: spans,
        retries: again,
        redirects,
        pool_timeout,
        skip_headers,
        chunked,
        expect_continue,
        decode_content,
        enforce_content_length,
        max_body,
        preload_content,
        assert_same_host,
    } = options;
    let skipped = skip_headers.map_or_else(core::Skipped::default, |skipped| core::Skipped {
        host: skipped.host,
        accept_encoding: skipped.accept_encoding,
        user_agent: skipped.user_agent,
    });
    Ok(core::RequestOptions {
        headers: headers.map(core::Headers::parse).transpose()?,
        timeouts: timeouts(spans),
        retries: again.map(retries::from_wit).unwrap_or_default(),
        redirects: match redirects {
            None | Some(wit::Redirects::Follow) => core::Redirects::Follow,
            Some(wit::Redirects::HandOver) => core::Redirects::HandOver,
        },
        pool_timeout: pool_timeout.map(limit),
        writing: core::Writing {
            fields_in: core::FieldsIn::ByMethod,
            skipped,
            is_chunked: chunked.unwrap_or(false),
            expects_continue: expect_continue.unwrap_or(false),
        },
        reading: core::Reading {
            is_raw: !decode_content.unwrap_or(true),
            may_be_short: !enforce_content_length.unwrap_or(true),
            max_body,
            is_preloaded: preload_content.unwrap_or(false),
        },
        may_leave_host: !assert_same_host.unwrap_or(true),
    })
}

fn timeouts(timeouts: Option<wit::Timeouts>) -> core::Timeouts {
    let Some(wit::Timeouts {
        connect,
        read,
        head,
        total,
        deadline,
    }) = timeouts
    else {
        return core::Timeouts::default();
    };
    core::Timeouts {
        connect: connect.map(limit),
        read: read.map(limit),
        head: head.map(limit),
        total: total.map(limit),
        deadline: deadline.map(limit),
    }
}

/// The options of a request whose fields go to a place of their own.
fn options_with_fields_in(
    place: core::FieldsIn,
    options: wit::RequestOptions,
) -> Outcome<core::RequestOptions> {
    let mut options = request_options(options)?;
    options.writing.fields_in = place;
    Ok(options)
}

/// The options of a request whose fields go into the query.
pub(crate) fn options_for_query(options: wit::RequestOptions) -> Outcome<core::RequestOptions> {
    options_with_fields_in(core::FieldsIn::Query, options)
}

/// The options of a request whose fields go into the body.
pub(crate) fn options_for_form(options: wit::RequestOptions) -> Outcome<core::RequestOptions> {
    options_with_fields_in(core::FieldsIn::Body, options)
}

pub(super) const fn limit(limit: wit::Limit) -> core::Limit {
    match limit {
        wit::Limit::Unlimited => core::Limit::Unlimited,
        wit::Limit::After(nanos) => core::Limit::After(Duration::from_nanos(nanos)),
    }
}
