//! What the options mean, and which are refused.

mod reach;

use std::time::Duration;

use urlpool_core::types::{
    Budget, Content, Headers, Limit, Multipart, Part, PartData, PoolSettings, Reading, Redirects,
    RetriedMethods, Retries, Streamed, Timeouts,
};

use super::*;
use crate::upload::Source;

fn parse(arguments: &[&str]) -> Result<Options, Early> {
    parse_with(arguments, &[])
}

fn parse_with(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Options, Early> {
    let arguments = ["urlpool"].iter().chain(arguments).map(OsString::from);
    let variables = variables
        .iter()
        .map(|(name, value)| (name.into(), value.into()));
    Options::parse(arguments, variables)
}

fn usage_error(arguments: &[&str]) -> String {
    match parse(arguments) {
        Err(Early::Usage(text)) => text,
        other => panic!("{arguments:?}: {other:?}"),
    }
}

#[test]
fn the_method_follows_the_body() {
    for (arguments, expected) in [
        (&["http://h/"][..], "GET"),
        (&["http://h/", "-d", ""], "POST"),
        (&["http://h/", "--json", "{}"], "POST"),
        (&["http://h/", "-F", "a=b"], "POST"),
        (&["http://h/", "--field", "a=b"], "GET"),
        (&["http://h/", "-d", "x", "-X", "put"], "PUT"),
        (&["http://h/", "--request=M-SEARCH"], "M-SEARCH"),
    ] {
        assert_eq!(
            parse(arguments).unwrap().method.as_str(),
            expected,
            "{arguments:?}"
        );
    }
}

#[test]
fn headers_are_those_written_and_those_that_options_add() {
    for (case, arguments, expected) in [
        ("none", &[][..], &[][..]),
        (
            "order, case and repetition",
            &["-H", "b: 1", "-H", "A:2", "--header", "b:  3 "],
            &[("b", "1"), ("A", "2"), ("b", "3")],
        ),
        ("colons in a value", &["-H", "a: b:c;"], &[("a", "b:c;")]),
        ("an empty value", &["-H", "a;"], &[("a", "")]),
        (
            "credentials",
            &["-u", "aladdin:opensesame"],
            &[("Authorization", "Basic YWxhZGRpbjpvcGVuc2VzYW1l")],
        ),
        (
            "an empty password",
            &["-u", "a:"],
            &[("Authorization", "Basic YTo=")],
        ),
        (
            "credentials by hand",
            &["-u", "a:b", "-H", "authorization: own"],
            &[("authorization", "own")],
        ),
        ("data", &["-d", "x"], &[]),
        ("a form", &["-F", "a=b"], &[]),
        (
            "JSON",
            &["--json", "1"],
            &[("Content-Type", "application/json")],
        ),
        (
            "JSON with a type of its own",
            &["--json", "1", "-H", "content-type: a/b"],
            &[("content-type", "a/b")],
        ),
    ] {
        let arguments = [arguments, &["http://h/"]].concat();
        let expected =
            Some(Headers::parse(expected.iter().copied()).unwrap()).filter(|all| !all.is_empty());
        assert_eq!(
            parse(&arguments).unwrap().request.headers,
            expected,
            "{case}"
        );
    }
}

#[test]
fn a_body_is_text_or_a_file_or_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let (file, large) = (folder.path().join("body"), folder.path().join("large"));
    std::fs::write(&file, b"from\r\na file\xff").unwrap();
    std::fs::write(&large, vec![0; 65_537]).unwrap();
    let at = |path: &Path| format!("@{}", path.display());
    let (at_file, at_large) = (at(&file), at(&large));
    let small = || Content::Bytes(b"from\r\na file\xff".to_vec());
    let streamed = |length, can_rewind| Content::Streamed(Streamed { length, can_rewind });
    let from_large = || (streamed(Some(65_537), true), vec![from(&large)]);
    for (case, arguments, (content, sources)) in [
        ("nothing", &[][..], (Content::Empty, vec![])),
        (
            "text",
            &["-d", "a=b"],
            (Content::Bytes(b"a=b".to_vec()), vec![]),
        ),
        (
            "empty text",
            &["-d", ""],
            (Content::Bytes(Vec::new()), vec![]),
        ),
        (
            "a hyphen first",
            &["-d", "-5"],
            (Content::Bytes(b"-5".to_vec()), vec![]),
        ),
        ("a small file", &["-d", &at_file], (small(), vec![])),
        ("small JSON", &["--json", &at_file], (small(), vec![])),
        ("a file", &["-d", &at_large], from_large()),
        ("JSON", &["--json", &at_large], from_large()),
        (
            "a file, several times",
            &["-d", &at_large, "--repeat", "2"],
            from_large(),
        ),
        (
            "standard input",
            &["-d", "@-"],
            (streamed(None, false), vec![Source::Input]),
        ),
        #[cfg(unix)]
        (
            "no plain file",
            &["-d", "@/dev/null"],
            (
                streamed(None, false),
                vec![Source::File("/dev/null".into(), None)],
            ),
        ),
    ] {
        let arguments = [arguments, &["http://h/"]].concat();
        let upload = parse(&arguments).unwrap().upload;
        assert_eq!(
            (upload.content, upload.sources),
            (content, sources),
            "{case}"
        );
    }
}

/// A file that is read as it is sent.
fn from(path: &Path) -> Source {
    Source::File(path.to_owned(), Some(65_537))
}

#[test]
fn what_is_read_once_is_sent_once() {
    for arguments in [
        &["-d", "@-", "http://h/", "http://h/"][..],
        &["--json", "@-", "--repeat", "2", "http://h/"],
        &["-F", "a=@-", "http://h/1", "http://h/2"],
        &["-F", "a=@-", "-F", "b=@-", "http://h/"],
    ] {
        let error = usage_error(arguments);
        assert!(error.contains("once"), "{arguments:?}: {error}");
    }
}

#[test]
fn fields_go_where_their_method_takes_them() {
    let pairs = [("a", "b"), ("a", "c=d"), ("", "@e")];
    for (method, is_query) in [
        (None, true),
        (Some("get"), true),
        (Some("HEAD"), true),
        (Some("DELETE"), true),
        (Some("OPTIONS"), true),
        (Some("POST"), false),
        (Some("put"), false),
        (Some("QUERY"), false),
    ] {
        let mut arguments = vec!["http://h/", "--field=a=b", "--field", "a=c=d"];
        arguments.extend(["--field", "=@e"]);
        arguments.extend(method.into_iter().flat_map(|method| ["-X", method]));
        let expected = if is_query {
            Content::Fields(pairs.map(|(name, value)| Part::field(name, value)).into())
        } else {
            Content::Form(
                pairs
                    .map(|(name, value)| (name.into(), value.into()))
                    .into(),
            )
        };
        assert_eq!(
            parse(&arguments).unwrap().upload.content,
            expected,
            "{method:?}"
        );
    }
}

#[test]
fn a_form_has_fields_and_files() {
    let folder = tempfile::tempdir().unwrap();
    let (file, large) = (folder.path().join("a b.txt"), folder.path().join("large"));
    std::fs::write(&file, b"\xff\n").unwrap();
    std::fs::write(&large, vec![0; 65_537]).unwrap();
    let (at_file, at_large) = (
        format!("f=@{}", file.display()),
        format!("f=@{}", large.display()),
    );
    let bytes = |bytes: &[u8]| PartData::Bytes(bytes.into());
    for (typed, expected, sources) in [
        ("a=b", Part::field("a", "b"), vec![]),
        ("a=", Part::field("a", ""), vec![]),
        ("=b=c", Part::field("", "b=c"), vec![]),
        (
            &at_file,
            Part::file("f", "a b.txt", bytes(b"\xff\n")),
            vec![],
        ),
        (
            &at_large,
            Part::file("f", "large", PartData::Streamed(Some(65_537))),
            vec![from(&large)],
        ),
        (
            "in=@-",
            Part::file("in", "-", PartData::Streamed(None)),
            vec![Source::Input],
        ),
    ] {
        let upload = parse(&["-F", "x=y", "--form", typed, "http://h/"])
            .unwrap()
            .upload;
        let content = Content::Multipart(Multipart {
            parts: vec![Part::field("x", "y"), expected],
            can_rewind: !sources.contains(&Source::Input),
            ..Multipart::default()
        });
        assert_eq!(
            (upload.content, upload.sources),
            (content, sources),
            "{typed}"
        );
    }
}

#[test]
fn retries_are_those_given() {
    let total = |count| Retries::total(count);
    let redirect = |count| Retries {
        redirect: Some(Budget::AtMost(count)),
        ..Retries::default()
    };
    let statuses = |statuses: &[u16]| Retries {
        statuses: Some(statuses.into()),
        ..Retries::default()
    };
    let factor = |millis| Retries {
        backoff_factor: Some(Duration::from_millis(millis)),
        ..Retries::default()
    };
    let methods = |names: &[&str]| Retries {
        methods: Some(RetriedMethods::Only(
            names.iter().map(|name| (*name).to_owned()).collect(),
        )),
        ..Retries::default()
    };
    use Redirects::{Follow, HandOver};
    for (typed, redirects, expected) in [
        ("", Follow, Retries::default()),
        ("--retries 0", Follow, total(0)),
        ("--retries=7", Follow, total(7)),
        ("--retries false", Follow, Retries::off()),
        ("--redirects 0", Follow, redirect(0)),
        ("--redirects 5", Follow, redirect(5)),
        ("--redirects false", HandOver, Retries::default()),
        ("--retries 4 --redirects false", HandOver, total(4)),
        (
            "--retries 4 --redirects 2",
            Follow,
            redirect(2).or(&total(4)),
        ),
        (
            "--retries false --redirects 2",
            Follow,
            redirect(2).or(&Retries::off()),
        ),
        ("--retry-on 429,503", Follow, statuses(&[429, 503])),
        (
            "--retry-on 500 --retry-on 502",
            Follow,
            statuses(&[500, 502]),
        ),
        ("--backoff 0", Follow, factor(0)),
        ("--backoff .25", Follow, factor(250)),
        ("--retry-method post,GET", Follow, methods(&["POST", "GET"])),
    ] {
        let arguments: Vec<_> = typed.split_whitespace().chain(["http://h/"]).collect();
        let options = parse(&arguments).unwrap().request;
        assert_eq!(
            (options.redirects, options.retries),
            (redirects, expected),
            "{typed}"
        );
    }
}

#[test]
fn a_body_is_read_as_asked() {
    for (typed, is_raw, max_body) in [
        ("", false, None),
        ("--no-decode", true, None),
        ("--max-body 0", false, Some(0)),
        (
            "--max-body 18446744073709551615 --no-decode",
            true,
            Some(u64::MAX),
        ),
    ] {
        let arguments: Vec<_> = typed.split_whitespace().chain(["http://h/"]).collect();
        let expected = Reading {
            is_raw,
            max_body,
            ..Reading::default()
        };
        assert_eq!(
            parse(&arguments).unwrap().request.reading,
            expected,
            "{typed}"
        );
    }
}

#[test]
fn each_url_has_its_output() {
    let file = |name: &str| Output::File(name.into());
    for (case, arguments, expected) in [
        ("none", &["http://h/a"][..], vec![Output::Stdout]),
        ("one", &["-o", "f", "http://h/a"], vec![file("f")]),
        (
            "standard output",
            &["http://h/a", "-o", "-"],
            vec![Output::Stdout],
        ),
        (
            "in order, and too few",
            &[
                "-o",
                "f",
                "http://h/a",
                "http://h/b",
                "-o",
                "g",
                "http://h/c",
            ],
            vec![file("f"), file("g"), Output::Stdout],
        ),
        (
            "by the URL's name",
            &["-O", "http://h/x/a%20b.tar?q=/z", "-O", "http://h/b"],
            vec![file("a%20b.tar"), file("b")],
        ),
        (
            "the rest by the URL's name",
            &["-O", "-o", "f", "http://h/a", "http://h/b"],
            vec![file("f"), file("b")],
        ),
        (
            "no other folder",
            &["-O", "http://h/x/..%2f..%2fetc", "http://h/a\\b"],
            vec![file("..%2F..%2Fetc"), file("a%5Cb")],
        ),
        (
            "a report",
            &["--report", "json", "http://h/a"],
            vec![Output::Nowhere],
        ),
        (
            "a report and a file",
            &["--report=json", "-o", "f", "http://h/a", "http://h/b"],
            vec![file("f"), Output::Nowhere],
        ),
    ] {
        let outputs: Vec<_> = parse(arguments)
            .unwrap()
            .targets
            .into_iter()
            .map(|target| target.output)
            .collect();
        assert_eq!(outputs, expected, "{case}");
    }
}

#[test]
fn a_url_is_sent_as_typed_and_shown_without_userinfo() {
    let options = parse(&["http://user:hunter2@H:80/a b#c"]).unwrap();
    assert_eq!(options.targets[0].url, "http://user:hunter2@H:80/a b#c");
    assert_eq!(options.targets[0].shown, "http://h/a%20b");
}

#[test]
fn settings_are_those_given() {
    assert_eq!(
        parse(&["http://h/"]).unwrap().manager,
        ManagerSettings::default()
    );
    let arguments = "--connect-timeout 2 --read-timeout .5 --timeout 1e3 --num-pools 2 --maxsize 0 --block --pool-timeout 0 -v";
    let mut arguments: Vec<_> = arguments.split(' ').collect();
    arguments.push("http://h/");
    let after = |millis| Some(Limit::After(Duration::from_millis(millis)));
    assert_eq!(
        parse(&arguments).unwrap().manager,
        ManagerSettings {
            num_pools: Some(2),
            pool: PoolSettings {
                maxsize: Some(0),
                block: Some(true),
                pool_timeout: after(0),
                timeouts: Timeouts {
                    connect: after(2_000),
                    read: after(500),
                    head: None,
                    deadline: after(1_000_000),
                    total: None,
                },
                ..PoolSettings::default()
            },
            events: Some(EVENTS),
            ..ManagerSettings::default()
        }
    );
}

#[test]
fn a_flag_may_be_given_again() {
    let flags = ["-vv", "-i", "-i", "--fail", "--fail", "-O", "-O"];
    let options = parse(&[&flags[..], &["http://h/a"]].concat()).unwrap();
    assert!(options.is_verbose && options.is_head_included && options.is_fail_set);
    assert_eq!(options.targets[0].output, Output::File("a".into()));
}

#[test]
fn what_makes_no_sense_is_refused_on_one_line() {
    for (case, arguments, hint) in [
        ("nothing", &[][..], "URL"),
        ("no URL", &["-v"], "URL"),
        (
            "an unknown option",
            &["--frobnicate", "http://h/"],
            "--frobnicate",
        ),
        ("an unknown letter", &["-Z", "http://h/"], "-Z"),
        ("a missing value", &["http://h/", "-X"], "METHOD"),
        ("a relative URL", &["/x"], "(invalid-url)"),
        ("no host", &["http:///x"], "(invalid-url)"),
        ("a bad port", &["http://h:99999/"], "(invalid-url)"),
        ("a second URL", &["http://h/", "http://"], "(invalid-url)"),
        ("a scheme", &["ftp://h/"], "(unsupported-scheme)"),
        (
            "a control in the host",
            &["http://h\r\nX/"],
            "(invalid-url)",
        ),
        ("a method", &["-X", "ge T", "http://h/"], "\"ge T\""),
        (
            "a method with a line break",
            &["-X", "A\nB", "http://h/"],
            "(invalid-request)",
        ),
        (
            "an empty method",
            &["-X", "", "http://h/"],
            "(invalid-request)",
        ),
        (
            "a header name",
            &["-H", "a b: c", "http://h/"],
            "(invalid-request)",
        ),
        (
            "a header value",
            &["-H", "a: b\r\nc: d", "http://h/"],
            "(invalid-request)",
        ),
        (
            "no header name",
            &["-H", ": c", "http://h/"],
            "(invalid-request)",
        ),
        (
            "a header without a value",
            &["-H", "a:", "http://h/"],
            "'Name;'",
        ),
        (
            "a header without a colon",
            &["-H", "a b", "http://h/"],
            "'Name: value'",
        ),
        (
            "a user without a password",
            &["-u", "a", "http://h/"],
            "NAME:PASSWORD",
        ),
        (
            "two bodies",
            &["-d", "a", "--json", "b", "http://h/"],
            "--json",
        ),
        (
            "fields and a body",
            &["--field", "a=b", "-d", "x", "http://h/"],
            "--field",
        ),
        (
            "a form and fields",
            &["-F", "a=b", "--field", "a=b", "http://h/"],
            "--field",
        ),
        (
            "a form and a body",
            &["-F", "a=b", "--json", "1", "http://h/"],
            "--form",
        ),
        (
            "a field without a value",
            &["--field", "a", "http://h/"],
            "NAME=VALUE",
        ),
        (
            "a part without a value",
            &["-F", "@a", "http://h/"],
            "NAME=VALUE",
        ),
        (
            "a missing part",
            &["-F", "a=@/no/such/file", "http://h/"],
            "/no/such/file",
        ),
        (
            "retries that are no number",
            &["--retries", "true", "http://h/"],
            "neither false nor a whole number from 0 to 4294967295",
        ),
        (
            "fewer than no redirects",
            &["--redirects", "-1", "http://h/"],
            "--redirects",
        ),
        (
            "a status that is none",
            &["--retry-on", "429,99", "http://h/"],
            "from 100 to 999",
        ),
        ("no status", &["--retry-on", "", "http://h/"], "--retry-on"),
        (
            "a method that is none",
            &["--retry-method", "GET,A B", "http://h/"],
            "\"A B\"",
        ),
        (
            "a negative backoff",
            &["--backoff", "-1", "http://h/"],
            "--backoff: \"-1\" is not a number of seconds from 0 to",
        ),
        (
            "a missing body",
            &["-d", "@/no/such/file", "http://h/"],
            "/no/such/file",
        ),
        (
            "missing roots",
            &["--cacert", "/no/such/file", "http://h/"],
            "/no/such/file",
        ),
        ("no time", &["--timeout", "0", "http://h/"], "--timeout"),
        (
            "less than no time",
            &["--read-timeout", "-1", "http://h/"],
            "--read-timeout",
        ),
        (
            "less than a nanosecond",
            &["--timeout", "1e-12", "http://h/"],
            "--timeout",
        ),
        (
            "not a time",
            &["--connect-timeout", "NaN", "http://h/"],
            "--connect-timeout",
        ),
        ("for ever", &["--timeout", "inf", "http://h/"], "--timeout"),
        (
            "longer than the clock runs",
            &["--timeout", "18446744074", "http://h/"],
            "from 0.000000001 to 18446744073",
        ),
        (
            "a word for a time",
            &["--timeout", "soon", "http://h/"],
            "--timeout",
        ),
        (
            "a negative limit",
            &["--max-body", "-2", "http://h/"],
            "from 0 to 18446744073709551615",
        ),
        (
            "a fraction of a byte",
            &["--max-body", "1.5", "http://h/"],
            "--max-body",
        ),
        (
            "no repetition",
            &["--repeat", "0", "http://h/"],
            "from 1 to 18446744073709551615",
        ),
        (
            "nothing at once",
            &["--parallel", "0", "http://h/"],
            "from 1 to 1000",
        ),
        (
            "more pools than can be counted",
            &["--num-pools", "4294967296", "http://h/"],
            "from 0 to 4294967295",
        ),
        (
            "an unknown report",
            &["--report", "xml", "http://h/"],
            "--report",
        ),
        (
            "more outputs than URLs",
            &["-o", "a", "-o", "b", "http://h/"],
            "-o",
        ),
        (
            "two things on standard output",
            &["--report", "json", "-o", "-", "http://h/"],
            "-o -",
        ),
        ("no name to take", &["-O", "http://h/x/?y=z"], "-O"),
        (
            "a scheme that no proxy has",
            &["-x", "ftp://p", "http://h/"],
            "(unsupported-proxy-scheme) Proxy URL had unsupported scheme ftp",
        ),
        (
            "no proxy's URL",
            &["--proxy", "http://", "http://h/"],
            "(invalid-settings) Failed to parse proxy URL",
        ),
        (
            "a user of no proxy",
            &["--proxy-user", "a:b", "http://h/"],
            "--proxy-user is of no use without a proxy; name one with -x URL",
        ),
        (
            "a header for a proxy that is switched off",
            &["--proxy-header", "a: b", "-x", "", "http://h/"],
            "--proxy-header is of no use",
        ),
        (
            "forwarding to nobody",
            &["--forward-https", "http://h/"],
            "--forward-https is of no use",
        ),
        (
            "trust in nobody",
            &["--proxy-insecure", "http://h/"],
            "--proxy-insecure is of no use",
        ),
        (
            "a proxy's user without a password",
            &["-x", "http://p", "-U", "a", "http://h/"],
            "--proxy-user has no colon; write NAME:PASSWORD",
        ),
        (
            "a proxy's header without a value",
            &["-x", "http://p", "--proxy-header", "a:", "http://h/"],
            "--proxy-header",
        ),
        (
            "missing roots of a proxy",
            &["-x", "p", "--proxy-cacert", "/no/such/file", "http://h/"],
            "--proxy-cacert: cannot read /no/such/file",
        ),
        (
            "an exception that matches nothing",
            &["--noproxy", "a,b/33", "http://h/"],
            "b/33",
        ),
        (
            "a missing certificate",
            &["--cert", "/no/such/file", "http://h/"],
            "--cert: cannot read /no/such/file",
        ),
        (
            "a key without a certificate",
            &["--key", "/no/such/file", "http://h/"],
            "--key is of no use without --cert FILE",
        ),
        (
            "a password without a key",
            &["--key-password", "x", "http://h/"],
            "--key-password is of no use without --cert FILE",
        ),
        (
            "an old version of TLS",
            &["--tls-min", "1.1", "http://h/"],
            "[possible values: 1.2, 1.3]",
        ),
        (
            "no version of TLS",
            &["--tls-max", "TLSv1.3", "http://h/"],
            "[possible values: 1.2, 1.3]",
        ),
        (
            "a name that would not be looked at",
            &["--fingerprint", "aa", "--assert-hostname", "a", "http://h/"],
            "--assert-hostname",
        ),
    ] {
        let text = usage_error(arguments);
        assert!(text.contains(hint), "{case}: {text}");
        assert!(!text.starts_with("error"), "{case}: {text}");
        assert!(
            !text.contains('\n') || case.contains("line break"),
            "{case}: {text}"
        );
    }
}

#[test]
fn secrets_are_not_repeated() {
    for arguments in [
        &["-H", "Authorization Bearer hunter2", "http://h/"][..],
        &["-H", "Authorization: hunter2\n", "http://h/"],
        &["-u", "hunter2", "http://h/"],
        &["-F", "hunter2", "http://h/"],
        &["--field", "hunter2", "http://h/"],
        &["http://user:hunter2@h:x/"],
        &["-x", "http://p", "-U", "hunter2", "http://h/"],
        &[
            "-x",
            "http://p",
            "-U",
            "hun:ter:hunter2\n",
            "--key",
            "x",
            "http://h/",
        ],
        &["-x", "http://a:hunter2@p:x", "http://h/"],
        &[
            "-x",
            "http://p",
            "--proxy-header",
            "Proxy-Authorization hunter2",
            "http://h/",
        ],
        &[
            "-x",
            "http://p",
            "--proxy-header",
            "Proxy-Authorization: hunter2\n",
            "http://h/",
        ],
        &["--key-password", "hunter2", "http://h/"],
        &[
            "--key-password",
            "hunter2",
            "--key-password",
            "hunter2",
            "http://h/",
        ],
        &["-U", "a:hunter2", "-U", "a:hunter2", "http://h/"],
        &["--key-passwd=hunter2", "http://h/"],
        &["--proxy-userpwd=a:hunter2", "http://h/"],
    ] {
        let text = usage_error(arguments);
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn secrets_are_not_in_debug_output() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pem");
    std::fs::write(&file, "hunter2").unwrap();
    let file = file.display().to_string();
    let secrets = ["-U", "user:hunter2", "--key-password", "hunter2"];
    let own = ["-u", "user:hunter2", "--cert", &file, "--key", &file];
    let urls = ["-x", "http://u:hunter2@p", "http://user:hunter2@h/"];
    let options = parse(&[&secrets[..], &own, &urls].concat()).unwrap();
    let shown = format!("{options:?}");
    assert!(shown.contains("http://h/"), "{shown}");
    for secret in ["hunter2", "dXNlcjpodW50ZXIy"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn help_and_version_are_for_standard_output() {
    for (arguments, expected) in [
        (&["--help"][..], "Usage: urlpool [OPTIONS] URL..."),
        (&["-h", "http:///"], "--timeout <S>"),
        (&["-v", "-h", "-i"], "--timeout <S>"),
        (&["--help", "all"], "--connect-timeout <S>"),
        (&["--help=limits"], "--connect-timeout <S>"),
        (&["--generate", "bash"], "complete -F _urlpool"),
        (
            &["--version"],
            concat!("urlpool ", env!("CARGO_PKG_VERSION")),
        ),
        (&["-V"], concat!("urlpool ", env!("CARGO_PKG_VERSION"))),
    ] {
        match parse(arguments) {
            Err(Early::Print(text)) => assert!(text.contains(expected), "{text}"),
            other => panic!("{arguments:?}: {other:?}"),
        }
    }
}
