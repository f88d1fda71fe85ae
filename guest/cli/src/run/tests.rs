//! Exit statuses and what is written where, over a scripted client.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::rc::Rc;

use serde_json::{Value, json};
use urlpool_core::types::{Content, Event, HistoryEntry};

use super::*;
use crate::delivery::Tally;
use crate::fake::{Answer, Fake, Seen, failure};

/// All that a run left behind.
#[derive(Debug)]
struct Ran {
    status: u8,
    output: String,
    errors: String,
    seen: Seen,
}

impl Ran {
    fn reports(&self) -> Vec<Value> {
        self.output
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

fn run_with(
    arguments: &[&str],
    answers: impl Into<VecDeque<Answer>>,
    output: &mut dyn Write,
) -> (u8, String, Seen) {
    let seen = Rc::new(RefCell::new(Seen::default()));
    let mut errors = Vec::new();
    let streams = Streams {
        output,
        errors: &mut errors,
        is_terminal: false,
    };
    let status = run(
        ["urlpool"].iter().chain(arguments).map(OsString::from),
        [],
        streams,
        |settings| {
            seen.borrow_mut().settings.push(settings);
            Ok(Fake::new(answers, &seen))
        },
    );
    (status, String::from_utf8(errors).unwrap(), seen.take())
}

fn ran(arguments: &[&str], answers: impl Into<VecDeque<Answer>>) -> Ran {
    let mut output = Vec::new();
    let (status, errors, seen) = run_with(arguments, answers, &mut output);
    Ran {
        status,
        output: output.iter().copied().map(char::from).collect(),
        errors,
        seen,
    }
}

fn refused() -> Error {
    Error::ConnectionFailed(failure("refused"))
}

fn cut_short() -> Error {
    Error::IncompleteBody {
        received: 3,
        missing: Some(2),
        failure: failure("cut\nshort"),
    }
}

#[test]
fn the_status_says_how_it_went() {
    let fine = || Answer::of(200, &["one"]);
    let missing = || Answer::of(404, &["none"]);
    let one: &[&str] = &["http://h/"];
    let two: &[&str] = &["http://h/", "http://h/"];
    let fail: &[&str] = &["--fail", "http://h/", "http://h/"];
    for (case, arguments, answers, status, output, errors) in [
        ("a response", one, vec![fine()], 0, "one", ""),
        ("no body", one, vec![Answer::of(204, &[])], 0, "", ""),
        (
            "a body in pieces",
            one,
            vec![Answer::of(200, &["a", "b"])],
            0,
            "ab",
            "",
        ),
        ("a bad status", one, vec![missing()], 0, "none", ""),
        (
            "an error",
            one,
            vec![Answer::failing(refused())],
            1,
            "",
            "urlpool: (connection-failed) refused\n",
        ),
        (
            "an error, then a response",
            two,
            vec![Answer::failing(refused()), fine()],
            1,
            "one",
            "urlpool: (connection-failed) refused\n",
        ),
        (
            "a body that breaks",
            one,
            vec![Answer::broken(200, "one", cut_short())],
            1,
            "one",
            "urlpool: (incomplete-body) cut\\nshort\n",
        ),
        (
            "a trap",
            one,
            vec![Answer::failing(Error::Other("trapped".into()))],
            1,
            "",
            "urlpool: (other) trapped\n",
        ),
        (
            "--fail, all well",
            fail,
            vec![fine(), fine()],
            0,
            "oneone",
            "",
        ),
        (
            "--fail, 399",
            fail,
            vec![Answer::of(399, &[]), fine()],
            0,
            "one",
            "",
        ),
        (
            "--fail, a bad status",
            fail,
            vec![missing(), fine()],
            22,
            "noneone",
            "",
        ),
        (
            "--fail, a bad status and an error",
            fail,
            vec![missing(), Answer::failing(refused())],
            1,
            "none",
            "urlpool: (connection-failed) refused\n",
        ),
        (
            "--fail, a bad status and a body that breaks",
            fail,
            vec![fine(), Answer::broken(500, "x", cut_short())],
            1,
            "onex",
            "urlpool: (incomplete-body) cut\\nshort\n",
        ),
        (
            "refused by the client",
            two,
            vec![
                Answer::failing(Error::InvalidRequest("framing".into())),
                fine(),
            ],
            2,
            "",
            "urlpool: (invalid-request) framing\n",
        ),
    ] {
        let ran = ran(arguments, answers);
        assert_eq!(
            (ran.status, ran.output.as_str(), ran.errors.as_str()),
            (status, output, errors),
            "{case}"
        );
    }
}

#[test]
fn nothing_is_opened_or_sent_after_a_usage_error() {
    for arguments in [
        &["http://h/", "http:///"][..],
        &["-X", "A B", "http://h/"],
        &["-H", "a", "http://h/"],
        &[],
    ] {
        let ran = ran(arguments, [Answer::of(200, &["one"])]);
        assert_eq!(ran.status, 2, "{arguments:?}");
        assert_eq!(ran.output, "", "{arguments:?}");
        assert!(ran.errors.starts_with("urlpool: "), "{}", ran.errors);
        assert_eq!(ran.errors.lines().count(), 1, "{}", ran.errors);
        assert!(ran.seen.settings.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_manager_that_does_not_open_ends_the_run() {
    for (error, expected) in [
        (Error::InvalidSettings("no certificate".into()), 2),
        (Error::Other("no memory".into()), 1),
    ] {
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        let streams = Streams {
            output: &mut output,
            errors: &mut errors,
            is_terminal: false,
        };
        let told = format!("urlpool: ({}) {error}\n", error.kind());
        let status = run::<Fake>(
            ["urlpool", "http://h/"].map(OsString::from),
            [],
            streams,
            |_| Err(error),
        );
        assert_eq!(status, expected);
        assert_eq!(String::from_utf8(errors).unwrap(), told);
    }
}

#[test]
fn the_list_is_sent_in_order_as_often_as_asked() {
    let answers = vec![Answer::of(200, &[]); 4];
    let ran = ran(
        &[
            "--repeat",
            "2",
            "-d",
            "x",
            "-H",
            "A: b",
            "http://u:p@h/1",
            "http://h/2",
        ],
        answers,
    );
    assert_eq!(ran.status, 0, "{}", ran.errors);
    assert_eq!(ran.seen.settings.len(), 1);
    let urls: Vec<_> = ran
        .seen
        .requests
        .iter()
        .map(|request| request.1.as_str())
        .collect();
    assert_eq!(
        urls,
        [
            "http://u:p@h/1",
            "http://h/2",
            "http://u:p@h/1",
            "http://h/2"
        ]
    );
    for (method, _, content, options) in &ran.seen.requests {
        assert_eq!(method, "POST");
        assert_eq!(*content, Content::Bytes(b"x".to_vec()));
        assert!(
            options
                .headers
                .as_ref()
                .is_some_and(|headers| headers.has("a"))
        );
    }
}

#[test]
fn several_requests_are_under_way_at_once() {
    for (parallel, order, most) in [
        ("1", ["a", "b", "c", "d"], None),
        ("2", ["b", "c", "d", "a"], Some(2)),
        ("3", ["c", "d", "b", "a"], Some(3)),
        ("1000", ["d", "c", "b", "a"], Some(4)),
    ] {
        let arguments = ["--report=json", "--repeat=2", "--parallel", parallel];
        let answers: Vec<_> = ["a", "b", "c", "d"]
            .into_iter()
            .zip((0..4).rev())
            .map(|(body, rank)| Answer::of(200, &[body]).ranked(rank))
            .collect();
        let ran = ran(
            &[&arguments[..], &["http://h/1", "http://h/2"]].concat(),
            answers,
        );
        assert_eq!(ran.status, 0, "{parallel}: {}", ran.errors);
        let at_once = ran.seen.waits.iter().map(|(heads, bodies)| heads + bodies);
        assert_eq!(at_once.max(), most, "{parallel}");
        assert_eq!(ran.seen.requests.len(), 4, "{parallel}");
        let hash = |body: &str| {
            let mut tally = Tally::new(true);
            tally.add(body.as_bytes());
            json!(tally.sha256())
        };
        for (report, body) in ran.reports().iter().zip(order) {
            assert_eq!(report["body_sha256"], hash(body), "{parallel}");
        }
    }
}

#[test]
fn a_slow_body_holds_up_no_other() {
    let slow = || Answer::of(200, &["s1", "s2"]).with_body_ranked(9);
    let fast = |body| Answer::of(200, body);
    for (case, arguments, answers, output) in [
        (
            "behind it",
            &["--parallel=2", "http://h/", "http://h/", "http://h/"][..],
            vec![slow(), fast(&["a"]), fast(&["b1", "b2"])],
            "ab1b2s1s2",
        ),
        (
            "with heads",
            &["-i", "--parallel=2", "http://h/", "http://h/"],
            vec![slow(), fast(&["a"])],
            "HTTP/1.1 200 Fine\r\nX-One: 1\r\nx-two: \u{e9}\r\n\r\na\
             HTTP/1.1 200 Fine\r\nX-One: 1\r\nx-two: \u{e9}\r\n\r\ns1s2",
        ),
    ] {
        let ran = ran(arguments, answers);
        assert_eq!((ran.status, ran.output.as_str()), (0, output), "{case}");
    }
}

#[test]
fn bodies_are_not_mixed_on_standard_output() {
    // More than is held of one of a thousand.
    let piece: &'static str = "x".repeat(20_000).leak();
    let large = Answer::of(200, &[piece, piece, "end"]).with_body_ranked(1);
    let later = Answer::of(200, &["y"]).ranked(2);
    let broken = Answer::broken(200, "z", cut_short()).ranked(2);
    let ran = ran(
        &["--parallel=1000", "http://h/", "http://h/", "http://h/"],
        [large, later, broken],
    );
    assert_eq!(ran.status, 1, "{}", ran.errors);
    assert_eq!(ran.output, format!("{piece}{piece}endyz"));
}

#[test]
fn files_are_written_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (one, two) = (path("1"), path("2"));
    let ran = ran(
        &[
            "--parallel=2",
            "--report=json",
            "-o",
            &one,
            "-o",
            &two,
            "http://h/1",
            "http://h/2",
        ],
        [
            Answer::of(200, &["slow", "er"]).with_body_ranked(1),
            Answer::broken(200, "fast", cut_short()),
        ],
    );
    let kinds: Vec<_> = ran
        .reports()
        .iter()
        .map(|report| report["error"]["kind"].clone())
        .collect();
    assert_eq!(kinds, [json!("incomplete-body"), json!(null)]);
    assert_eq!(std::fs::read_to_string(one).unwrap(), "slower");
    assert_eq!(names(folder.path()), ["1"]);
}

#[test]
fn a_streamed_body_is_pushed_for_as_long_as_it_is_needed() {
    use urlpool_core::driver::Progress::{Accepted, Answered, Rewind};

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large");
    std::fs::write(&file, [b"a".repeat(65_536), b"b".to_vec()].concat()).unwrap();
    let at_file = format!("@{}", file.display());
    let part = format!("f=@{}", file.display());
    for (case, arguments, input, heard, pushed) in [
        ("a file", ["-d", &at_file], vec![], vec![], "65536 1 (end)"),
        (
            "a file, twice",
            ["-d", &at_file],
            vec![],
            vec![Accepted, Accepted, Rewind],
            "65536 1 (end) 65536 1 (end)",
        ),
        (
            "a file, in part twice",
            ["-d", &at_file],
            vec![],
            vec![Accepted, Rewind],
            "65536 1 65536 1 (end)",
        ),
        (
            "a file, answered early",
            ["-d", &at_file],
            vec![],
            vec![Answered],
            "65536",
        ),
        (
            "a file of a form",
            ["-F", &part],
            vec![],
            vec![],
            "65536 1 (part) (end)",
        ),
        (
            "standard input",
            ["-d", "@-"],
            vec![Some("one"), Some("three")],
            vec![],
            "3 5 (end)",
        ),
        ("no standard input", ["-d", "@-"], vec![], vec![], "(end)"),
        (
            "standard input, answered before it goes on",
            ["-d", "@-"],
            vec![Some("one"), None],
            vec![],
            "3",
        ),
        (
            "standard input in a form",
            ["-F", "f=@-"],
            vec![Some("one")],
            vec![],
            "3 (part) (end)",
        ),
    ] {
        let answer = Answer::of(200, &["fine"]).hearing(heard);
        let seen = Rc::new(RefCell::new(Seen::default()));
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        let streams = Streams {
            output: &mut output,
            errors: &mut errors,
            is_terminal: false,
        };
        let typed = ["urlpool"]
            .into_iter()
            .chain(arguments)
            .chain(["http://h/"]);
        let status = run(typed.map(OsString::from), [], streams, |_| {
            let mut fake = Fake::new([answer], &seen);
            fake.input = input.into();
            Ok(fake)
        });
        assert_eq!((status, output.as_slice()), (0, &b"fine"[..]), "{case}");
        let seen = seen.take().pushed;
        let sizes = seen.iter().map(|piece| match piece.as_str() {
            word if word.starts_with('(') => word.to_owned(),
            bytes => bytes.len().to_string(),
        });
        assert_eq!(sizes.collect::<Vec<_>>().join(" "), pushed, "{case}");
    }
}

#[test]
fn nothing_is_pushed_while_a_body_waits_to_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large");
    std::fs::write(&file, b"a".repeat(65_537)).unwrap();
    let at_file = format!("@{}", file.display());
    let ran = ran(
        &["--parallel=2", "-d", &at_file, "http://h/", "http://h/"],
        [Answer::of(200, &["a"]), Answer::of(200, &["b"])],
    );
    assert_eq!((ran.status, ran.output.as_str()), (0, "ab"));
    // Each body is pushed as two pieces and an end.
    assert_eq!(ran.seen.pushed_before_ends, [3, 6]);
}

#[test]
fn what_is_found_after_sending_ends_its_request_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large");
    std::fs::write(&file, b"a".repeat(65_537)).unwrap();
    let at_file = format!("@{}", file.display());
    let wrong = || Answer::failing(Error::InvalidRequest("too short".into()));
    let fine = || Answer::of(200, &["fine"]);
    for (case, arguments, status, output) in [
        ("a pushed body", &["-d", &at_file][..], 1, "fine"),
        ("a started request", &["--parallel=2"], 1, "fine"),
        ("a request that was not sent", &[], 2, ""),
    ] {
        let ran = ran(
            &[arguments, &["http://h/", "http://h/"]].concat(),
            [wrong(), fine()],
        );
        assert_eq!(
            (ran.status, ran.output.as_str()),
            (status, output),
            "{case}"
        );
        assert_eq!(
            ran.errors, "urlpool: (invalid-request) too short\n",
            "{case}"
        );
    }
}

#[test]
fn a_failure_among_several_does_not_end_the_others() {
    let ran = ran(
        &["--parallel=2", "http://h/", "http://h/", "http://h/"],
        [
            Answer::of(200, &["a"]).ranked(1),
            Answer::failing(refused()),
            Answer::of(200, &["c"]).ranked(2),
        ],
    );
    assert_eq!((ran.status, ran.output.as_str()), (1, "ac"));
}

#[test]
fn the_head_comes_first_where_it_is_asked_for() {
    assert_eq!(
        ran(&["-i", "http://h/"], [Answer::of(201, &["body"])]).output,
        "HTTP/1.1 201 Fine\r\nX-One: 1\r\nx-two: \u{e9}\r\n\r\nbody"
    );
}

#[test]
fn the_limit_of_a_body_is_the_clients_to_keep() {
    let ran = ran(
        &["--max-body", "3", "http://h/"],
        [Answer::of(200, &["four"])],
    );
    assert_eq!((ran.status, ran.output.as_str()), (0, "four"));
    let (_, _, _, options) = &ran.seen.requests[0];
    assert_eq!(options.reading.max_body, Some(3));
}

fn names(folder: &Path) -> Vec<String> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn a_file_is_whole_or_not_there() {
    let too_large = || Error::BodyTooLarge(failure("too large"));
    for (case, answer, left) in [
        ("whole", Answer::of(200, &["a", "b"]), Some("ab")),
        ("empty", Answer::of(200, &[]), Some("")),
        ("broken", Answer::broken(200, "a", cut_short()), None),
        ("too large", Answer::broken(200, "a", too_large()), None),
        ("no response", Answer::failing(refused()), None),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f");
        let path = file.display().to_string();
        let ran = ran(&["-o", &path, "http://h/"], [answer]);
        assert_eq!(ran.status, u8::from(left.is_none()), "{case}");
        assert_eq!(ran.output, "", "{case}");
        assert_eq!(
            std::fs::read_to_string(&file).ok().as_deref(),
            left,
            "{case}"
        );
        assert_eq!(
            names(folder.path()).len(),
            usize::from(left.is_some()),
            "{case}"
        );
    }
}

#[test]
fn a_file_that_cannot_be_written_fails_its_request_alone() {
    let ran = ran(
        &["-o", "/no/such/folder/f", "http://h/", "http://h/"],
        [Answer::of(200, &["one"]), Answer::of(200, &["two"])],
    );
    assert_eq!((ran.status, ran.output.as_str()), (1, "two"));
    assert!(
        ran.errors
            .starts_with("urlpool: (other) cannot write to /no/such/folder/f: "),
        "{}",
        ran.errors
    );
}

#[test]
fn a_report_is_a_line_for_each_request() {
    let connected = Event::Connected {
        number: 7,
        remote: "192.0.2.7:80".into(),
    };
    let ran = ran(
        &[
            "--report",
            "json",
            "http://u:p@h/1",
            "http://h/2",
            "http://h/3",
            "http://h/4",
        ],
        [
            Answer::of(200, &["a", "bc"]),
            Answer::broken(500, "abc", cut_short()),
            Answer::failing(Error::ReadTimeout(failure("slow"))).with([connected]),
            Answer::broken(
                200,
                "abcd",
                Error::BodyTooLarge(failure("more than 4 bytes")),
            ),
        ],
    );
    assert_eq!(ran.status, 1);
    assert_eq!(ran.errors.lines().count(), 3, "{}", ran.errors);
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let reports = ran.reports();
    assert_eq!(reports.len(), 4);
    for (report, pointer, expected) in [
        (0, "/url", json!("http://h/final")),
        (0, "/body_bytes", json!(3)),
        (0, "/body_sha256", json!(abc)),
        (0, "/error", json!(null)),
        (0, "/history", json!([])),
        (1, "/status", json!(500)),
        (1, "/body_sha256", json!(abc)),
        (1, "/error/kind", json!("incomplete-body")),
        (1, "/connection/number", json!(1)),
        (2, "/status", json!(null)),
        (2, "/url", json!("http://h/")),
        (2, "/connection/number", json!(7)),
        (2, "/error/kind", json!("read-timeout")),
        (3, "/body_bytes", json!(4)),
        (3, "/error/kind", json!("body-too-large")),
        (3, "/connection/remote", json!("192.0.2.1:80")),
    ] {
        assert_eq!(
            reports[report].pointer(pointer),
            Some(&expected),
            "{report}{pointer}"
        );
    }
}

#[test]
fn a_report_tells_what_was_tried_before() {
    let redirect = HistoryEntry {
        method: "GET".into(),
        url: "http://h/1".into(),
        status: Some(302),
        location: Some("http://h/final".into()),
        error: None,
    };
    let found = Answer::of(200, &["one"]).after([redirect]);
    let ran = ran(&["--report", "json", "http://h/1"], [found]);
    assert_eq!(
        ran.reports()[0]["history"],
        json!([{
            "method": "GET",
            "url": "http://h/1",
            "status": 302,
            "location": "http://h/final",
            "error": null,
        }])
    );
}

#[test]
fn progress_is_for_terminals() {
    for (case, is_terminal, has_file, expected) in [
        ("a file", true, true, true),
        ("no terminal", false, true, false),
        ("standard output", true, false, false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f").display().to_string();
        let mut arguments = vec!["urlpool", "http://h/"];
        arguments.extend(has_file.then_some(["-o", &path]).into_iter().flatten());
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        let streams = Streams {
            output: &mut output,
            errors: &mut errors,
            is_terminal,
        };
        let answer = Answer::of(200, &["one"]);
        let status = run(
            arguments.into_iter().map(OsString::from),
            [],
            streams,
            |_| Ok(Fake::new([answer], &Rc::default())),
        );
        assert_eq!(status, 0, "{case}");
        let errors = String::from_utf8(errors).unwrap();
        assert_eq!(errors.contains("0 B"), expected, "{case}: {errors:?}");
        assert!(errors.is_empty() || errors.ends_with("\x1b[K"), "{case}");
    }
}

#[test]
fn a_report_and_a_file_go_together() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("f");
    let path = file.display().to_string();
    let ran = ran(
        &["--report", "json", "-o", &path, "http://h/"],
        [Answer::of(200, &["body"])],
    );
    assert_eq!(ran.reports()[0]["body_bytes"], json!(4));
    assert_eq!(std::fs::read_to_string(file).unwrap(), "body");
}

#[test]
fn what_happens_is_told_on_standard_error() {
    let events = [
        Event::CheckedOut { number: 1 },
        Event::Sent {
            number: 1,
            head: "GET / HTTP/1.1\r\nHost: h\r\n\r\n".into(),
        },
        Event::Received {
            number: 1,
            head: "HTTP/1.1 200 Fine\r\n\r\n".into(),
        },
    ];
    let answer = || Answer::of(200, &["one"]).with(events.clone());
    let told = ran(&["-v", "http://h/"], [answer()]);
    assert_eq!(told.output, "one");
    assert_eq!(
        told.errors,
        "* connection 1: used again\n> GET / HTTP/1.1\n> Host: h\n>\n< HTTP/1.1 200 Fine\n<\n"
    );
    assert!(told.seen.settings[0].events.is_some());
    let silent = ran(&["http://h/"], [answer()]);
    assert_eq!(silent.errors, "");
    assert_eq!(silent.seen.settings[0].events, None);
}

#[test]
fn who_did_not_prove_who_they_are_is_warned_of() {
    let warned = || Answer::of(200, &["one"]).with([Event::Warned("who is\nthis?".into())]);
    for (case, arguments, has_events) in [
        ("servers", &["-k"][..], true),
        ("told at length too", &["-kv"], true),
        ("a proxy", &["-x", "https://p", "--proxy-insecure"], true),
        ("nobody is left unverified", &["-x", "https://p"], false),
    ] {
        let urls = ["http://h/", "http://h/"];
        let ran = ran(&[arguments, &urls].concat(), [warned(), warned()]);
        assert_eq!((ran.status, ran.output.as_str()), (0, "oneone"), "{case}");
        let expected = "urlpool: warning: who is\\nthis?\n".repeat(if has_events { 2 } else { 0 });
        assert_eq!(ran.errors, expected, "{case}");
        let events = ran.seen.settings[0].events;
        assert_eq!(events.is_some(), has_events, "{case}");
    }
}

#[test]
fn secrets_of_connections_go_where_they_were_asked_for_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    let path = file.display().to_string();
    let logged = || Answer::of(200, &["one"]).with([Event::KeyLog("CLIENT_RANDOM a b".into())]);
    for times in 1..=2 {
        let ran = ran(&["-v", "--key-log", &path, "http://h/"], [logged()]);
        assert_eq!((ran.status, ran.errors.as_str()), (0, ""));
        assert_eq!(ran.seen.settings[0].pool.tls.key_log, Some(true));
        let expected = "CLIENT_RANDOM a b\n".repeat(times);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let silent = ran(&["-v", "http://h/"], [logged()]);
    assert_eq!((silent.status, silent.errors.as_str()), (0, ""));
    assert_eq!(silent.seen.settings[0].pool.tls.key_log, None);
}

#[test]
fn a_key_log_that_cannot_be_written_is_told_of() {
    let unopened = ran(&["--key-log", "/no/such/folder/f", "http://h/"], []);
    assert_eq!((unopened.status, unopened.output.as_str()), (2, ""));
    let told = "urlpool: --key-log: cannot write to /no/such/folder/f: ";
    assert!(unopened.errors.starts_with(told), "{}", unopened.errors);
    assert!(unopened.seen.settings.is_empty());
    #[cfg(target_os = "linux")]
    {
        let line = || Event::KeyLog("CLIENT_RANDOM a b".into());
        let logged = Answer::of(200, &["one"]).with([line(), line()]);
        let full = ran(&["--key-log", "/dev/full", "http://h/"], [logged]);
        assert_eq!((full.status, full.output.as_str()), (1, "one"));
        assert_eq!(full.errors.lines().count(), 1, "{}", full.errors);
        assert!(!full.errors.contains("CLIENT"), "{}", full.errors);
    }
}

/// Fails as it is told once `room` bytes are written.
struct Narrow {
    room: usize,
    failure: io::ErrorKind,
}

impl Write for Narrow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.room == 0 {
            return Err(self.failure.into());
        }
        let written = bytes.len().min(self.room);
        self.room -= written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_broken_standard_output_ends_the_run() {
    for (case, arguments, failure, is_quiet) in [
        (
            "pipe",
            &["http://h/", "http://h/"][..],
            io::ErrorKind::BrokenPipe,
            true,
        ),
        (
            "report",
            &["--report", "json", "http://h/", "http://h/"],
            io::ErrorKind::BrokenPipe,
            true,
        ),
        ("help", &["--help"], io::ErrorKind::BrokenPipe, true),
        (
            "disk",
            &["http://h/", "http://h/"],
            io::ErrorKind::StorageFull,
            false,
        ),
    ] {
        let mut output = Narrow { room: 2, failure };
        let answers = vec![Answer::of(200, &["one"]); 2];
        let (status, errors, seen) = run_with(arguments, answers, &mut output);
        assert_eq!(status, 1, "{case}");
        assert_eq!(errors.is_empty(), is_quiet, "{case}: {errors}");
        assert!(errors.lines().count() <= 1, "{case}: {errors}");
        assert!(seen.requests.len() <= 1, "{case}");
    }
}

#[test]
fn a_terminal_has_colours_and_progress_unless_told_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a").display().to_string();
    for (case, is_terminal, variable, has_colours) in [
        ("a terminal", true, None, true),
        ("without colours", true, Some("NO_COLOR"), false),
        ("no terminal", false, None, false),
    ] {
        let seen = Rc::new(RefCell::new(Seen::default()));
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        let streams = Streams {
            output: &mut output,
            errors: &mut errors,
            is_terminal,
        };
        let arguments = ["urlpool", "-v", "-o", &file, "http://h/", "http://h/"];
        let mut good = Answer::of(200, &["one"]);
        good.events.push(Event::CheckedOut { number: 1 });
        let answers = [good, Answer::failing(refused())];
        let variables = variable.map(|name| (name.into(), "1".into()));
        run(arguments.map(OsString::from), variables, streams, |_| {
            Ok(Fake::new(answers, &seen))
        });
        let told = String::from_utf8(errors).unwrap();
        let (bar, wipe) = (told.contains("0 B/s"), told.contains("\r\x1b[K"));
        assert_eq!((bar, wipe), (is_terminal, is_terminal), "{case}: {told:?}");
        let (name, fact) = if has_colours {
            (
                "\x1b[1;31murlpool:\x1b[0m ",
                "\x1b[2m* connection 1: used again\x1b[0m\n",
            )
        } else {
            ("urlpool: ", "* connection 1: used again\n")
        };
        assert!(
            told.contains(&format!("{name}(connection-failed)")),
            "{case}: {told:?}"
        );
        assert!(told.contains(fact), "{case}: {told:?}");
        assert_eq!(told.contains("\x1b[0m"), has_colours, "{case}: {told:?}");
        assert!(output.is_empty(), "{case}");
    }
}
