//! The learner of a running daemon: it hears what is taught, and a reload goes over to another
//! directory, or to none.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use super::daemon::{Daemon, binary};
use super::postfix::{PATIENCE, wait_until};
use crate::support::mta::{Message, MtaConnection, Options};

/// A daemon that learns in a directory next to its other files.
struct Site {
    daemon: Daemon,
}

impl Site {
    fn start() -> Self {
        // A directory that is not there yet is no mistake at a start: nothing was taught.
        Self {
            daemon: Daemon::start("[learner]\npath = \"/nonexistent/learner\"\n"),
        }
    }

    fn directory(&self, name: &str) -> PathBuf {
        self.daemon.path(name)
    }

    /// Writes the section again; everything before it stays.
    fn configure(&self, directory: &str, more: &str) {
        let path = self.daemon.path("gatepost.toml");
        let text = std::fs::read_to_string(&path).expect("the configuration");
        let before = text.split("[learner]").next().unwrap_or_default();
        let section = format!(
            "[learner]\npath = \"{}\"\n{more}\n",
            self.directory(directory).display()
        );
        std::fs::write(&path, format!("{before}{section}")).expect("the configuration");
    }

    fn gatepost(&self, arguments: &[&str]) -> Output {
        let config = self.daemon.path("gatepost.toml");
        Command::new(binary())
            .arg("--config")
            .arg(config)
            .args(arguments)
            .output()
            .expect("the command runs")
    }

    /// Asks for a reload: what it said, and whether it was done.
    fn reload(&self) -> (bool, String) {
        let output = self.gatepost(&["reload"]);
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }

    /// Teaches so many messages to a directory.
    fn teach(&self, directory: &str, messages: usize) {
        let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/files");
        let state = self.directory(directory);
        for (label, file) in [("ham", "ham.eml"), ("spam", "gtube.eml")]
            .into_iter()
            .take(messages)
        {
            let (state, file) = (
                state.display().to_string(),
                files.join(file).display().to_string(),
            );
            let output = self.gatepost(&["learn", label, "--state", &state, &file]);
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }

    /// Who judges a mail now: the name of the model in its record, `MODEL+RECORD` where the site
    /// has taught.
    fn judge(&self) -> String {
        let socket = self.daemon.path("milter.sock");
        let stream = UnixStream::connect(socket).expect("a listening daemon");
        let mut connection = MtaConnection::new(stream, Options::postfix());
        connection
            .set_timeout(Duration::from_mins(1))
            .expect("a time-out");
        connection.negotiate().expect("an answer to the offer");
        connection
            .connect("mail.example.net", "192.0.2.7", 40_000)
            .expect("an answer to CONNECT");
        connection
            .helo("mail.example.net")
            .expect("an answer to HELO");
        let before = self.daemon.records().lines().count();
        let message = Message {
            sender: "<anna@example.net>",
            recipients: &["<ben@example.com>"],
            header: &[("From", " anna@example.net"), ("Subject", " minutes")],
            body: b"The minutes of Thursday are on the shelf.\r\n",
            queue_id: "4Learner",
        };
        connection.message(&message).expect("an answer");
        let record = || self.daemon.records().lines().nth(before).map(str::to_owned);
        assert!(
            wait_until(PATIENCE, || record()
                .is_some_and(|line| line.ends_with('}'))),
            "no record"
        );
        let record: serde_json::Value =
            serde_json::from_str(&record().expect("a record")).expect("JSON");
        let evidence = record["evidence"].as_array().expect("a list").iter();
        let mut classifiers = evidence.filter(|piece| piece["kind"] == "classifier");
        let Some(classifier) = classifiers.next() else {
            return "none".to_owned();
        };
        let model = classifier["model"].as_str().expect("a model");
        match classifier["site_sequence"].as_u64() {
            Some(sequence) => format!("{model}+{sequence}"),
            None => model.to_owned(),
        }
    }
}

#[test]
fn a_reload_goes_over_to_another_directory_or_to_none() {
    let site = Site::start();
    let base = site.judge();
    assert!(!base.contains('+'), "{base}: nothing was taught yet");
    let first = site.directory("first").display().to_string();
    let second = site.directory("second").display().to_string();
    site.configure("second", "");
    // At a reload it is: most likely a name that was misspelt.
    let (done, said) = site.reload();
    assert!(
        !done && said.contains(&second) && said.contains("stays as it was"),
        "{said}"
    );

    // What the daemon follows is taught while it runs: it hears of it by itself.
    std::fs::create_dir(&second).expect("a directory");
    assert!(
        site.reload()
            .1
            .contains(&format!("the learner follows {second}: no labels yet"))
    );
    site.teach("second", 2);
    assert!(
        wait_until(PATIENCE, || site.judge() == format!("{base}+2")),
        "{}",
        site.daemon.log()
    );

    // Another directory with other labels; a broken one, and one that is missing, change nothing.
    site.teach("first", 1);
    site.configure("first", "");
    let (done, said) = site.reload();
    assert!(
        done && said.contains(&format!(
            "the learner follows {first}: 1 ham, 0 spam (sequence 1)"
        )),
        "{said}"
    );
    assert_eq!(site.judge(), format!("{base}+1"));
    std::fs::create_dir(site.directory("broken")).expect("a directory");
    std::fs::write(
        site.directory("broken").join("labels"),
        "something else entirely",
    )
    .expect("a file");
    for (directory, why) in [("broken", "not a label log"), ("missing", "No such file")] {
        site.configure(directory, "");
        let (done, said) = site.reload();
        assert!(
            !done && said.contains(why) && said.contains("stays as it was"),
            "{said}"
        );
        assert_eq!(site.judge(), format!("{base}+1"), "{directory}");
    }

    // Off, and on again, what was taught meanwhile included; SIGHUP does the same as the command.
    site.configure("second", "enabled = false");
    let (done, said) = site.reload();
    assert!(done && said.contains("the learner is off"), "{said}");
    assert_eq!(site.judge(), base);
    site.configure("second", "");
    site.daemon.signal("HUP");
    assert!(
        wait_until(PATIENCE, || site.judge() == format!("{base}+2")),
        "{}",
        site.daemon.log()
    );
    // A reload that changes nothing of the learner says nothing of it.
    let (done, said) = site.reload();
    assert!(done && !said.contains("learner"), "{said}");
}
