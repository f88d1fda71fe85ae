//! What the options about TLS and proxies mean, with and without an environment.

use urlpool_core::types::{
    AssertHostname, CertReqs, Credentials, ProxySettings, TlsSettings, TlsVersion,
};

use super::*;

fn tls(typed: &[&str]) -> TlsSettings {
    let options = parse(&[typed, &["https://h/"]].concat()).unwrap();
    options.manager.pool.tls
}

#[test]
fn tls_is_as_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.pem");
    std::fs::write(&path, b"PEM\xff").unwrap();
    let file = path.display().to_string();
    let bytes = || Some(b"PEM\xff".to_vec());
    let none = TlsSettings::default;
    for (typed, expected) in [
        (&[][..], none()),
        (
            &["-k"],
            TlsSettings {
                cert_reqs: Some(CertReqs::None),
                ..none()
            },
        ),
        (
            &["--cacert", &file],
            TlsSettings {
                roots: bytes(),
                ..none()
            },
        ),
        (
            &["--cert", &file],
            TlsSettings {
                client_certificates: bytes(),
                ..none()
            },
        ),
        (
            &["-E", &file, "--key", &file, "--key-password", "a b:c"],
            TlsSettings {
                client_certificates: bytes(),
                client_key: bytes(),
                key_password: Some(b"a b:c".to_vec()),
                ..none()
            },
        ),
        (
            &["--cert", &file, "--key-password", ""],
            TlsSettings {
                client_certificates: bytes(),
                key_password: Some(Vec::new()),
                ..none()
            },
        ),
        (
            &["--tls-min", "1.3", "--tls-max=1.3"],
            TlsSettings {
                min_version: Some(TlsVersion::Tls13),
                max_version: Some(TlsVersion::Tls13),
                ..none()
            },
        ),
        (
            &["--tls-max", "1.2"],
            TlsSettings {
                max_version: Some(TlsVersion::Tls12),
                ..none()
            },
        ),
        (
            &["--fingerprint", "AA:bb", "--assert-hostname", "false"],
            TlsSettings {
                assert_fingerprint: Some("AA:bb".into()),
                assert_hostname: Some(AssertHostname::Off),
                ..none()
            },
        ),
        (
            &["--assert-hostname", "a.test", "--server-hostname", "b.test"],
            TlsSettings {
                assert_hostname: Some(AssertHostname::Name("a.test".into())),
                server_hostname: Some("b.test".into()),
                ..none()
            },
        ),
        (
            &["--assert-hostname", "false."],
            TlsSettings {
                assert_hostname: Some(AssertHostname::Name("false.".into())),
                ..none()
            },
        ),
        (
            &["--key-log", "never/made"],
            TlsSettings {
                key_log: Some(true),
                ..none()
            },
        ),
    ] {
        assert_eq!(tls(typed), expected, "{typed:?}");
    }
}

/// The rules as `scheme=url`, and what is exempt.
fn routes(typed: &[&str], variables: &[(&str, &str)]) -> String {
    let options = parse_with(&[typed, &["http://h/"]].concat(), variables).unwrap();
    let Some(proxies) = options.manager.pool.proxies else {
        return "direct".into();
    };
    let rules = proxies.rules.iter().map(|rule| {
        let scheme = rule.scheme.as_deref().unwrap_or("*");
        format!("{scheme}={}", rule.proxy.as_ref().unwrap().url)
    });
    let exempt = proxies.no_proxy.iter().map(|entry| format!("-{entry}"));
    rules.chain(exempt).collect::<Vec<_>>().join(" ")
}

#[test]
fn proxies_are_those_typed_or_those_of_the_environment() {
    let environment = &[
        ("http_proxy", "http://e:1"),
        ("HTTPS_PROXY", "e:2"),
        ("NO_PROXY", "a,b/99"),
        ("SSL_CERT_FILE", "/no/such/file"),
        ("SSLKEYLOGFILE", "/no/such/file"),
    ][..];
    let bad = &[("http_proxy", "ftp://e")][..];
    for (case, typed, variables, expected) in [
        ("none", &[][..], &[][..], "direct"),
        ("typed", &["-x", "socks5h://p"], &[], "*=socks5h://p"),
        ("no scheme", &["-x", "p:3128"], &[], "*=http://p:3128"),
        ("switched off", &["-x", ""], &[], "direct"),
        ("an exception alone", &["--noproxy", "a"], &[], "direct"),
        (
            "exceptions",
            &["-x", "p", "--noproxy", "a, .b,192.0.2.0/24"],
            &[],
            "*=http://p -a -.b -192.0.2.0/24",
        ),
        (
            "the environment",
            &[],
            environment,
            "http=http://e:1 https=http://e:2 -a",
        ),
        (
            "another proxy, the same exceptions",
            &["-x", "http://p"],
            environment,
            "*=http://p -a",
        ),
        (
            "other exceptions",
            &["--noproxy", "c"],
            environment,
            "http=http://e:1 https=http://e:2 -c",
        ),
        (
            "no exceptions",
            &["--noproxy", ""],
            environment,
            "http=http://e:1 https=http://e:2",
        ),
        ("no proxy after all", &["-x", ""], environment, "direct"),
        (
            "all is typed",
            &["-x", "p", "--noproxy", "c"],
            environment,
            "*=http://p -c",
        ),
        ("a bad one does not count", &["-x", "p"], bad, "*=http://p"),
        (
            "cve_2016_5385",
            &[],
            &[("HTTP_PROXY", "http://attacker.test")],
            "direct",
        ),
    ] {
        assert_eq!(routes(typed, variables), expected, "{case}");
    }
}

#[test]
fn a_bad_proxy_of_the_environment_is_named_as_such() {
    for (variables, hint) in [
        (
            [("http_proxy", "ftp://u:hunter2@e")],
            "(unsupported-proxy-scheme) in the environment: ",
        ),
        (
            [("all_proxy", "http://u:hunter2@e:x")],
            "(invalid-settings) in the environment: ",
        ),
    ] {
        match parse_with(&["http://h/"], &variables) {
            Err(Early::Usage(text)) => {
                assert!(text.starts_with(hint), "{text}");
                assert!(!text.contains("hunter2"), "{text}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[cfg(unix)]
#[test]
fn a_proxy_that_is_no_unicode_is_not_passed_by() {
    use std::os::unix::ffi::OsStringExt as _;
    let arguments = ["urlpool", "http://h/"].map(OsString::from);
    let value = OsString::from_vec(b"http://p\xff".to_vec());
    let parsed = Options::parse(arguments, [(OsString::from("http_proxy"), value)]);
    assert!(matches!(parsed, Err(Early::Usage(_))), "{parsed:?}");
}

#[test]
fn every_proxy_is_spoken_to_as_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.pem");
    std::fs::write(&path, "PEM").unwrap();
    let file = path.display().to_string();
    let none = ProxySettings::default;
    let trusting = |tls: TlsSettings| ProxySettings {
        tls: Some(tls),
        ..none()
    };
    for (case, typed, expected) in [
        ("nothing", &[][..], none()),
        (
            "credentials",
            &["--proxy-user", "a b:c:d"],
            ProxySettings {
                credentials: Some(Credentials {
                    username: "a b".into(),
                    password: "c:d".into(),
                }),
                ..none()
            },
        ),
        (
            "headers",
            &["--proxy-header", "A: b", "--proxy-header", "c;"],
            ProxySettings {
                headers: Some(Headers::parse([("A", "b"), ("c", "")]).unwrap()),
                ..none()
            },
        ),
        (
            "forwarding",
            &["--forward-https"],
            ProxySettings {
                use_forwarding_for_https: Some(true),
                ..none()
            },
        ),
        (
            "servers need not prove who they are, and it must",
            &["-k"],
            trusting(TlsSettings {
                cert_reqs: Some(CertReqs::Required),
                ..TlsSettings::default()
            }),
        ),
        (
            "roots of its own",
            &["-k", "--tls-min", "1.3", "--proxy-cacert", &file],
            trusting(TlsSettings {
                roots: Some(b"PEM".to_vec()),
                cert_reqs: Some(CertReqs::Required),
                min_version: Some(TlsVersion::Tls13),
                ..TlsSettings::default()
            }),
        ),
        (
            "unverified beside verified servers",
            &[
                "--proxy-insecure",
                "--cacert",
                &file,
                "--server-hostname",
                "s",
            ],
            trusting(TlsSettings {
                roots: Some(b"PEM".to_vec()),
                cert_reqs: Some(CertReqs::None),
                ..TlsSettings::default()
            }),
        ),
        (
            "its secrets too",
            &["--key-log", "never/made"],
            trusting(TlsSettings {
                key_log: Some(true),
                ..TlsSettings::default()
            }),
        ),
    ] {
        let arguments = [typed, &["http://h/"]].concat();
        for (typed, variables) in [
            (&["-x", "https://p"][..], &[][..]),
            (
                &[],
                &[("http_proxy", "https://p"), ("https_proxy", "https://p")],
            ),
        ] {
            let options = parse_with(&[typed, &arguments].concat(), variables).unwrap();
            let proxies = options.manager.pool.proxies.unwrap();
            for rule in proxies.rules {
                let expected = ProxySettings {
                    url: "https://p".into(),
                    ..expected.clone()
                };
                assert_eq!(rule.proxy, Some(expected), "{case}");
            }
        }
    }
}
