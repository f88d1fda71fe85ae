//! TLS as `openssl s_server` speaks it, right and wrong, and nginx where it asks for a certificate.
//!
//! Each row has a server of its own.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;
use urlpool_tests::fail;
use urlpool_tests::nginx::{AccessLog, Nginx};

use crate::certificates::{Certificates, KEY_PASSWORD};
use crate::daemon::Daemon;
use crate::report::Report;
use crate::served::random;
use crate::tally::Row;

/// A row a line: its name, the server's certificate and options, the client's options, and the end: the version of TLS by which the page
/// came, or `fails` and a word of the message of the error `tls`. Options name files of `Certificates`; `{sha256}` and its like are
/// fingerprints of the server's certificate.
const LINES: &str = "\
TLS 1.2 only | ecdsa | -tls1_2 | | 1.2
TLS 1.3 only | ecdsa | -tls1_3 | | 1.3
TLS 1.3 before 1.2 | ecdsa | | | 1.3
TLS 1.1 only | ecdsa | -tls1_1 -cipher ALL:@SECLEVEL=0 | | fails
--tls-max 1.2 | ecdsa | | --tls-max 1.2 | 1.2
--tls-min 1.3 | ecdsa | | --tls-min 1.3 | 1.3
--tls-max 1.2 against 1.3 only | ecdsa | -tls1_3 | --tls-max 1.2 | fails
--tls-min 1.3 against 1.2 only | ecdsa | -tls1_2 | --tls-min 1.3 | fails
RSA over TLS 1.2 | rsa | -tls1_2 | | 1.2
RSA over TLS 1.3 | rsa | -tls1_3 | | 1.3
ECDSA with P-384 | p384 | | | 1.3
Ed25519 | ed25519 | | | 1.3
AES-128-GCM over TLS 1.3 | ecdsa | -ciphersuites TLS_AES_128_GCM_SHA256 | | 1.3
AES-256-GCM over TLS 1.3 | ecdsa | -ciphersuites TLS_AES_256_GCM_SHA384 | | 1.3
ChaCha20 over TLS 1.3 | ecdsa | -ciphersuites TLS_CHACHA20_POLY1305_SHA256 | | 1.3
AES-128-GCM over TLS 1.2 | rsa | -tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256 | | 1.2
ChaCha20 over TLS 1.2 | rsa | -tls1_2 -cipher ECDHE-RSA-CHACHA20-POLY1305 | | 1.2
no forward secrecy | rsa | -tls1_2 -cipher AES128-GCM-SHA256 | | fails
X25519 only | ecdsa | -groups X25519 | | 1.3
P-256 only | ecdsa | -groups P-256 | | 1.3
a certificate that expired | expired | | | fails certificate has expired
a certificate of another host | elsewhere | | | fails mismatch
a name only in the common name | common-name | | | fails mismatch
a certificate that signed itself | self-signed | | | fails certificate verify failed
an authority that is not trusted | untrusted | | | fails certificate verify failed
-k and a certificate that expired | expired | | -k | 1.3
-k and a certificate of another host | elsewhere | | -k | 1.3
-k and a certificate that signed itself | self-signed | | -k | 1.3
-k and an authority that is not trusted | untrusted | | -k | 1.3
--assert-hostname of the certificate | elsewhere | | --assert-hostname elsewhere.test | 1.3
--assert-hostname of another | ecdsa | | --assert-hostname elsewhere.test | fails
--server-hostname of the certificate | elsewhere | | --server-hostname elsewhere.test | 1.3
--server-hostname of another | ecdsa | | --server-hostname elsewhere.test | fails hostname
--fingerprint with SHA-256 | ecdsa | | --fingerprint {sha256} | 1.3
--fingerprint with SHA-1 | ecdsa | | --fingerprint {sha1} | 1.3
--fingerprint with MD5 | ecdsa | | --fingerprint {md5} | 1.3
--fingerprint of another host's certificate | elsewhere | | --fingerprint {sha256} | 1.3
--fingerprint that is not its own | ecdsa | | --fingerprint 00112233445566778899aabbccddeeff00112233 | fails fingerprints did not match
-k and a --fingerprint that is not its own | self-signed | | -k --fingerprint 00112233445566778899aabbccddeeff00112233 | fails fingerprints did not match
a client's certificate over TLS 1.3 | ecdsa | {asking} | --cert client.pem | 1.3
a client's certificate over TLS 1.2 | ecdsa | -tls1_2 {asking} | --cert client.pem | 1.2
no client's certificate over TLS 1.3 | ecdsa | {asking} | | fails alert
no client's certificate over TLS 1.2 | ecdsa | -tls1_2 {asking} | | fails alert
a client's certificate of another authority | ecdsa | {asking} | --cert foreign-client.pem | fails alert
a client's RSA certificate and key | rsa | {asking} | --cert rsa-client.crt --key rsa-client.key | 1.3
a client's RSA certificate over TLS 1.2 | rsa | -tls1_2 {asking} | --cert rsa-client.crt --key rsa-client.key | 1.2";

/// The options of a server that asks for a client's certificate.
const ASKING: &str = "-Verify 3 -verify_return_error -CAfile roots.pem";

/// The forms in which nginx's client may have its certificate and key: the name of the row and the options.
const FORMS: &str = "\
certificate and key in one file | --cert rsa-client.pem
a key in PKCS #8 | --cert rsa-client.crt --key rsa-client.key
a key in PKCS #1 | --cert rsa-client.crt --key rsa-client.pkcs1
a key in SEC1 | --cert ec-client.crt --key ec-client.sec1
certificate and key in DER | --cert rsa-client.der --key rsa-client.key.der
a key in PBES2 | --cert rsa-client.crt --key rsa-client.pbes2 --key-password key-password
an RSA key in the old encrypted form | --cert rsa-client.crt --key rsa-client.legacy --key-password key-password
an EC key in the old encrypted form | --cert ec-client.crt --key ec-client.legacy --key-password key-password";

/// What no request can be made with.
const UNUSABLE: &str = "\
an encrypted key without a password | --cert rsa-client.crt --key rsa-client.pbes2
an encrypted key and another password | --cert rsa-client.crt --key rsa-client.pbes2 --key-password other
an old encrypted key and another password | --cert rsa-client.crt --key rsa-client.legacy --key-password other
a key of another certificate | --cert rsa-client.crt --key ec-client.key";

/// What all rows share.
struct Shared {
    certificates: Certificates,
    page: Vec<u8>,
    nginx: Nginx,
    folder: TempDir,
}

/// All of them.
pub(crate) fn rows() -> Vec<Row> {
    let shared = Arc::new(Shared::start());
    let mut rows = Vec::new();
    for line in LINES.lines() {
        let (on, [name, columns @ ..]) = (Arc::clone(&shared), columns::<5>(line));
        let name = format!("openssl s_server: {name}");
        rows.push(Row::new(name, async move {
            against_openssl(&on, columns).await;
        }));
    }
    for (table, is_welcome) in [(FORMS, true), (UNUSABLE, false)] {
        for line in table.lines() {
            let (on, [name, options]) = (Arc::clone(&shared), columns(line));
            let name = format!("nginx with client certificates: {name}");
            rows.push(Row::new(name, async move {
                if is_welcome {
                    welcome_to_nginx(&on, options).await;
                } else {
                    on.ask_nginx(options).await.assert_unusable();
                }
            }));
        }
    }
    let name = "nginx with client certificates: none";
    rows.push(Row::new(name, async move {
        shared.ask_nginx("").await.assert_answered(400, None);
    }));
    rows
}

fn columns<const N: usize>(line: &'static str) -> [&'static str; N] {
    let columns: Vec<&str> = line.split('|').map(str::trim).collect();
    columns.try_into().expect("a line has all columns")
}

impl Shared {
    fn start() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let certificates = Certificates::write(folder.path());
        let page = random(10_000);
        fs::write(certificates.path("page"), &page).expect("a temporary folder takes files");
        let directives = format!(
            "ssl_verify_client on; ssl_client_certificate {};",
            certificates.located("roots.pem")
        );
        let nginx = Nginx::configured(AccessLog::Off, &[], &directives);
        nginx.serve("page", &page);
        Self {
            certificates,
            page,
            nginx,
            folder,
        }
    }

    async fn report(&self, url: &str, options: &str, roots: &Path) -> Report {
        let roots = roots.display().to_string();
        let options: Vec<String> = options
            .split_whitespace()
            .map(|word| self.certificates.located(word))
            .collect();
        let mut arguments = vec!["--retries", "false", "--cacert", &roots];
        arguments.extend(options.iter().map(String::as_str));
        arguments.push(url);
        let report = Report::of(&arguments, b"").await;
        report.assert_silent_about(&[KEY_PASSWORD, "PRIVATE KEY"]);
        report
    }

    async fn ask_nginx(&self, options: &str) -> Report {
        let roots = self.nginx.authority_file();
        self.report(&self.nginx.https("/page"), options, &roots)
            .await
    }

    /// Starts `openssl s_server` and says at which port.
    fn openssl(&self, certificate: &str, options: &str) -> (Daemon, u16) {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let log = self.folder.path().join(number.to_string());
        let options = options.replace("{asking}", ASKING);
        let mut command = Command::new("openssl");
        command
            .args([
                "s_server",
                "-accept",
                "127.0.0.1:0",
                "-WWW",
                "-cert",
                certificate,
            ])
            .args(options.split_whitespace())
            .current_dir(self.certificates.path(""));
        let mut daemon = Daemon::start(&mut command, &log).expect("openssl is installed");
        let printed = || fs::read_to_string(&log).unwrap_or_default();
        daemon.until(|| accepting(&printed()).is_some());
        match accepting(&printed()) {
            Some(port) => (daemon, port),
            None => fail(&format!("openssl s_server does not listen: {}", printed())),
        }
    }
}

async fn against_openssl(on: &Shared, [certificate, server, client, end]: [&str; 4]) {
    let certificate = format!("{certificate}.pem");
    let (_daemon, port) = on.openssl(&certificate, server);
    let mut client = client.to_owned();
    for hash in ["sha256", "sha1", "md5"] {
        let placeholder = format!("{{{hash}}}");
        if client.contains(&placeholder) {
            let fingerprint = on.certificates.fingerprint(&certificate, hash);
            client = client.replace(&placeholder, &fingerprint);
        }
    }
    let url = format!("https://127.0.0.1:{port}/page");
    let roots = on.certificates.path("roots.pem");
    let report = on.report(&url, &client, &roots).await;
    match end.strip_prefix("fails") {
        Some(word) => report.assert_failed("tls", word.trim()),
        None => {
            report.assert_answered(200, Some(&on.page));
            assert_eq!(report.tls(), Some(end), "version of TLS");
        }
    }
}

async fn welcome_to_nginx(on: &Shared, options: &str) {
    for (limit, version) in [("--tls-max 1.2", "1.2"), ("--tls-min 1.3", "1.3")] {
        let report = on.ask_nginx(&format!("{limit} {options}")).await;
        report.assert_answered(200, Some(&on.page));
        assert_eq!(report.tls(), Some(version), "version of TLS");
    }
}

/// The port in `ACCEPT 127.0.0.1:PORT`.
fn accepting(printed: &str) -> Option<u16> {
    let line = printed.lines().find(|line| line.starts_with("ACCEPT "))?;
    line.rsplit_once(':')?.1.parse().ok()
}
