//! Certificates and keys in every form that people have them in, as files.
//!
//! `Authority` makes those of one kind of key; the rest comes from OpenSSL, as it does in private networks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use urlpool_tests::{Authority, Identity};

/// The password of every encrypted key.
pub(crate) const KEY_PASSWORD: &str = "key-password";

const NAMES: [&str; 2] = ["127.0.0.1", "localhost"];

/// A folder of them. The names of its files are those in the tables of `secure`.
pub(crate) struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    /// Makes all of them.
    ///
    /// # Panics
    /// Where OpenSSL is missing or will not.
    pub(crate) fn write(folder: &Path) -> Self {
        let these = Self {
            folder: folder.join("certificates"),
        };
        fs::create_dir(&these.folder).expect("a temporary folder takes folders");
        let (trusted, other) = (Authority::new(), Authority::new());
        these.identity("ecdsa.pem", &trusted.issue(&NAMES));
        these.identity("expired.pem", &trusted.issue_expired(&NAMES));
        these.identity("elsewhere.pem", &trusted.issue(&["elsewhere.test"]));
        these.identity("untrusted.pem", &other.issue(&NAMES));
        these.identity("self-signed.pem", &Identity::self_signed(&NAMES));
        these.identity("client.pem", &trusted.issue(&["client.test"]));
        these.identity("foreign-client.pem", &other.issue(&["client.test"]));
        these.openssl("req -x509 -newkey rsa:2048 -noenc -keyout root.key -out root.pem -subj /CN=root -days 2");
        these.issue(
            "rsa",
            "rsa:2048",
            "-addext subjectAltName=IP:127.0.0.1,DNS:localhost",
        );
        these.issue(
            "p384",
            "ec -pkeyopt ec_paramgen_curve:P-384",
            "-addext subjectAltName=IP:127.0.0.1",
        );
        these.issue("ed25519", "ed25519", "-addext subjectAltName=IP:127.0.0.1");
        these.issue("common-name", "rsa:2048", "");
        these.issue("rsa-client", "rsa:2048", "");
        these.issue("ec-client", "ec -pkeyopt ec_paramgen_curve:P-256", "");
        these.keys();
        let roots = [trusted.pem(), these.read("root.pem")].concat();
        fs::write(these.path("roots.pem"), roots).expect("a temporary folder takes files");
        these
    }

    /// Where a file is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// `word`, or the whole path where it is the name of a file here.
    pub(crate) fn located(&self, word: &str) -> String {
        let path = self.path(word);
        if path.is_file() {
            path.display().to_string()
        } else {
            word.to_owned()
        }
    }

    /// The fingerprint of a certificate as OpenSSL prints it.
    pub(crate) fn fingerprint(&self, name: &str, hash: &str) -> String {
        let printed = self.openssl(&format!("x509 -in {name} -noout -fingerprint -{hash}"));
        let (_, digits) = printed.trim().rsplit_once('=').unwrap_or_default();
        digits.to_owned()
    }

    /// The same keys in all the forms that there are.
    fn keys(&self) {
        let password = format!("-passout pass:{KEY_PASSWORD}");
        for command in [
            "x509 -in rsa-client.crt -outform DER -out rsa-client.der",
            "pkcs8 -topk8 -nocrypt -in rsa-client.key -outform DER -out rsa-client.key.der",
            "rsa -in rsa-client.key -traditional -out rsa-client.pkcs1",
            "ec -in ec-client.key -out ec-client.sec1",
            &format!(
                "pkcs8 -topk8 -v2 aes-256-cbc -in rsa-client.key -out rsa-client.pbes2 {password}"
            ),
            &format!(
                "rsa -in rsa-client.key -traditional -aes256 -out rsa-client.legacy {password}"
            ),
            &format!("ec -in ec-client.key -aes128 -out ec-client.legacy {password}"),
        ] {
            self.openssl(command);
        }
    }

    /// A certificate by OpenSSL's root: `name.crt` and `name.key`, and both in `name.pem`.
    fn issue(&self, name: &str, key: &str, more: &str) {
        self.openssl(&format!(
            "req -x509 -newkey {key} -noenc -CA root.pem -CAkey root.key -keyout {name}.key -out {name}.crt \
             -subj /CN=127.0.0.1 -days 2 -addext basicConstraints=critical,CA:FALSE {more}"
        ));
        let both = [
            self.read(&format!("{name}.crt")),
            self.read(&format!("{name}.key")),
        ];
        fs::write(self.path(&format!("{name}.pem")), both.concat())
            .expect("a temporary folder takes files");
    }

    fn identity(&self, name: &str, identity: &Identity) {
        fs::write(self.path(name), identity.pem()).expect("a temporary folder takes files");
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect("a file that was made")
    }

    /// Runs a command of OpenSSL in the folder and gives what it printed.
    fn openssl(&self, command: &str) -> String {
        let output = Command::new("openssl")
            .args(command.split_whitespace())
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .output()
            .expect("openssl is installed");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {command}: {errors}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}
