//! Every way to an origin, with every kind of credentials, for every kind of request.
//!
//! `Case::all` leaves out what makes no sense: a password without a proxy that asks for one.

use std::sync::Arc;

use crate::origins::Origins;
use crate::proxies::{Lookup, PASSWORD, Proxy, Refusal, USER};
use crate::report::{Report, argument};
use crate::tally::Row;

/// A password that is not the right one, and the credentials that carry it.
const WRONG: &str = "wrong-password";
const WRONG_IN_BASE64: &str = "dXJscG9vbDp3cm9uZy1wYXNzd29yZA==";
const RIGHT_IN_BASE64: &str = "dXJscG9vbDpjb3JyZWN0LXBhc3N3b3Jk";
/// What is for the first origin only.
const AUTHORIZATION: &str = "Bearer for-the-first-origin";

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Password {
    /// Neither asked for nor given.
    None,
    Right,
    Wrong,
    /// Asked for and not given.
    Missing,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Act {
    Get,
    Post,
    Download,
    Redirect,
}

/// One row.
#[derive(Clone)]
struct Case {
    /// `None` goes there directly.
    proxy: Option<Proxy>,
    is_secure: bool,
    password: Password,
    act: Act,
}

/// The whole table.
pub(crate) fn rows(origins: &Arc<Origins>) -> Vec<Row> {
    Case::all(&origins.proxies.all)
        .into_iter()
        .map(|case| {
            let on = Arc::clone(origins);
            Row::new(case.name(), async move { case.run(&on).await })
        })
        .collect()
}

impl Case {
    fn all(proxies: &[Proxy]) -> Vec<Self> {
        let ways = std::iter::once(None).chain(proxies.iter().cloned().map(Some));
        let mut cases = Vec::new();
        for proxy in ways {
            for is_secure in [false, true] {
                for password in [
                    Password::None,
                    Password::Right,
                    Password::Wrong,
                    Password::Missing,
                ] {
                    for act in [Act::Get, Act::Post, Act::Download, Act::Redirect] {
                        let case = Self {
                            proxy: proxy.clone(),
                            is_secure,
                            password,
                            act,
                        };
                        cases.extend(case.makes_sense().then_some(case));
                    }
                }
            }
        }
        cases
    }

    fn makes_sense(&self) -> bool {
        let has_place = match (&self.proxy, self.password) {
            (None, password) => password == Password::None,
            (Some(proxy), Password::None) => proxy.open.is_some(),
            (Some(proxy), _) => proxy.guarded.is_some(),
        };
        has_place && (self.password != Password::Missing || self.act == Act::Get)
    }

    fn name(&self) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        let way = self.proxy.as_ref().map_or("direct", |proxy| proxy.name);
        let password = match self.password {
            Password::None => "no password",
            Password::Right => "right password",
            Password::Wrong => "wrong password",
            Password::Missing => "missing password",
        };
        let act = match self.act {
            Act::Get => "GET",
            Act::Post => "streamed POST",
            Act::Download => "download of 20 MB",
            Act::Redirect => "redirect to another origin",
        };
        format!("{way}: {scheme}, {password}, {act}")
    }

    async fn run(&self, on: &Origins) {
        let arguments = self.arguments(on);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let input = match self.act {
            Act::Post => on.upload.as_slice(),
            _ => &[],
        };
        let report = Report::of(&arguments, input).await;
        report.assert_silent_about(&[PASSWORD, WRONG, RIGHT_IN_BASE64, WRONG_IN_BASE64]);
        match (self.password, &self.proxy) {
            (Password::Wrong | Password::Missing, Some(proxy)) => self.refused(&report, proxy),
            _ => self.answered(&report, on),
        }
    }

    fn arguments(&self, on: &Origins) -> Vec<String> {
        let mut arguments = vec!["--cacert".into(), argument(&on.roots)];
        if let Some(proxy) = &self.proxy {
            let port = match self.password {
                Password::None => proxy.open,
                _ => proxy.guarded,
            };
            let port = port.expect("cases without a port make no sense");
            arguments.push("-x".into());
            arguments.push(format!("{}://127.0.0.1:{port}", proxy.scheme));
        }
        let password = match self.password {
            Password::Right => Some(PASSWORD),
            Password::Wrong => Some(WRONG),
            Password::None | Password::Missing => None,
        };
        if let Some(password) = password {
            arguments.push("--proxy-user".into());
            arguments.push(format!("{USER}:{password}"));
        }
        if !self.is_welcome() {
            arguments.extend(["--retries", "false"].map(Into::into));
        }
        let lookup = self.lookup();
        let first = |path: &str| on.first(self.is_secure, lookup, path);
        match self.act {
            Act::Get => arguments.push(first("/page")),
            Act::Download => arguments.push(first("/download")),
            Act::Post => {
                arguments.extend(["-d", "@-"].map(Into::into));
                arguments.push(first("/echo"));
            }
            Act::Redirect => {
                arguments.push("-H".into());
                arguments.push(format!("Authorization: {AUTHORIZATION}"));
                let to = on.second(self.is_secure, lookup, "/page");
                arguments.push(first(&format!("/away?to={to}")));
            }
        }
        arguments
    }

    /// The response came from the origin, by way of the proxy, with the bytes that are there.
    #[track_caller]
    fn answered(&self, report: &Report, on: &Origins) {
        let body = match self.act {
            Act::Get | Act::Redirect => &on.page,
            Act::Post => &on.upload,
            Act::Download => &on.download,
        };
        report.assert_answered(200, Some(body));
        let client = self
            .proxy
            .as_ref()
            .map_or("127.0.0.1", |proxy| proxy.client);
        assert_eq!(report.header("X-Client"), Some(client), "who came");
        for secret in ["X-Proxy-Authorization", "X-Authorization"] {
            assert_eq!(report.header(secret), None, "what the origin saw");
        }
        let redirects = usize::from(self.act == Act::Redirect);
        assert_eq!(report.history(), redirects, "redirects");
    }

    /// A proxy that forwards answers itself. One that was to open a tunnel makes the request fail.
    #[track_caller]
    fn refused(&self, report: &Report, proxy: &Proxy) {
        let Refusal::Status {
            wrong,
            missing,
            hangs_up,
        } = proxy.refusal
        else {
            return report.assert_failed("proxy", "");
        };
        let status = match self.password {
            Password::Missing => missing,
            _ => wrong,
        };
        if self.is_secure {
            report.assert_failed("proxy", &status.to_string());
        } else if hangs_up && self.act == Act::Post {
            let possible = [None, Some(status.into())];
            assert!(possible.contains(&report.status()), "the upload arrived");
        } else {
            report.assert_answered(status.into(), None);
        }
    }

    fn is_welcome(&self) -> bool {
        matches!(self.password, Password::None | Password::Right)
    }

    fn lookup(&self) -> Lookup {
        self.proxy
            .as_ref()
            .map_or(Lookup::Near, |proxy| proxy.lookup)
    }
}
