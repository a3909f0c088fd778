//! What is read of files, directories and Maildirs.
#![expect(clippy::disallowed_methods, reason = "the tests make messages to read")]

use std::path::{Path, PathBuf};

use super::item::Unread;
use super::walk::{read_all, read_one};

const MESSAGE: &str = "To: a\n\nxx";

fn write(root: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// Name below `root`, and what came: its length, or the first letter of the kind.
fn seen(root: &Path, paths: &[PathBuf], limit: usize) -> Vec<(String, String)> {
    let mut seen = Vec::new();
    read_all(paths, limit, &mut |item| {
        let what = match &item.raw {
            Ok(raw) => raw.len().to_string(),
            Err(Unread::Failed(_)) => "failed".to_owned(),
            Err(Unread::NotAMessage(_)) => "other".to_owned(),
            Err(Unread::PassedOver(_)) => "passed over".to_owned(),
            Err(Unread::Nothing(_)) => "nothing".to_owned(),
        };
        let name = item.name.strip_prefix(root.to_str().unwrap());
        let name = name.unwrap_or(&item.name).trim_start_matches('/');
        seen.push((name.to_owned(), what));
        true
    });
    seen
}

fn expect(root: &Path, expected: &[(&str, &str)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(name, what)| ((*name).to_owned(), (*what).to_owned()))
        .collect();
    assert_eq!(seen(root, &[root.to_owned()], 1000), expected);
}

#[test]
fn directories_are_read_in_name_order() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let files = [
        ("c", "To: a\n"),
        ("b/2", MESSAGE),
        ("b/1", "To: a\n"),
        ("a", "From x\nTo: a\n"),
        (".hidden", MESSAGE),
        ("logo.png", "\u{89}PNG"),
    ];
    write(root, &files);
    let expected = [
        (".hidden", "passed over"),
        ("a", "6"),
        ("b/1", "6"),
        ("b/2", "9"),
        ("c", "6"),
        ("logo.png", "other"),
    ];
    expect(root, &expected);
}

#[test]
fn of_a_maildir_cur_and_new_are_read_and_the_rest_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let mailbox =
        "From x Mon Jan  1 00:00:00 2024\nTo: a\n\nFrom x Mon Jan  1 00:00:00 2024\nTo: a\n";
    let files = [
        ("cur/1:2,S", MESSAGE),
        ("cur/2:2,S", mailbox),
        ("new/3", MESSAGE),
        ("tmp/4", MESSAGE),
        ("dovecot-uidlist", "3 V1\n"),
        ("dovecot.index.log", "\u{1}\u{2}"),
        (".Junk/cur/5", MESSAGE),
        (".Junk/new/6", MESSAGE),
        ("Sub/cur/7", MESSAGE),
    ];
    write(root, &files);
    let expected = [
        (".Junk", "passed over"),
        ("Sub", "passed over"),
        ("cur/1:2,S", "9"),
        ("cur/2:2,S", "45"),
        ("dovecot-uidlist", "other"),
        ("dovecot.index.log", "other"),
        ("new/3", "9"),
        ("tmp/4", "other"),
    ];
    expect(root, &expected);
    let junk = root.join(".Junk");
    assert_eq!(
        seen(root, &[junk], 1000).len(),
        2,
        "a folder that is named is read"
    );
    assert_eq!(seen(root, &[root.join("cur")], 1000).len(), 2);
}

#[test]
fn an_empty_directory_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    expect(root, &[("", "nothing")]);
    for folder in ["cur", "new", "tmp"] {
        std::fs::create_dir(root.join(folder)).unwrap();
    }
    expect(root, &[("", "nothing")]);
}

#[test]
fn mailboxes_in_directories_need_no_suffix() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let from = "From x Mon Jan  1 00:00:00 2024\n";
    let mailbox = format!("{from}To: a\n\n>From y\n\n{from}To: b\n\n");
    let files = ["Sent", "a.eml", "a.mbox", "b.EML.gz"];
    write(root, &files.map(|name| (name, mailbox.as_str())));
    let names: Vec<String> = seen(root, &[root.to_owned()], 1000)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let expected = [
        "Sent:1", "Sent:2", "a.eml", "a.mbox:1", "a.mbox:2", "b.EML.gz",
    ];
    assert_eq!(names, expected);
    let one = read_one(&root.join("Sent"), 1000).raw.unwrap();
    assert!(
        one.starts_with(b"To: a\n\n>From y\n"),
        "nothing is unquoted in one message"
    );
    assert!(read_one(&root.join("missing"), 1000).raw.is_err());
}

#[test]
fn special_files_are_reported_and_never_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let fifo = root.join("fifo");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    let kind = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, kind, mode, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", root.join("zero")).unwrap();
    std::os::unix::fs::symlink(root, root.join("round")).unwrap();
    write(root, &[("mail", MESSAGE)]);
    let expected = [
        ("fifo", "other"),
        ("mail", "9"),
        ("round", "passed over"),
        ("socket", "other"),
        ("zero", "other"),
    ];
    expect(root, &expected);
    let named = ["/dev/zero", "/dev/full"].map(PathBuf::from);
    assert!(
        seen(root, &named, 1000)
            .iter()
            .all(|(_, what)| what == "other")
    );
}

#[test]
fn a_message_has_its_limit_at_n_and_n_plus_one_and_the_rest_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    write(root, &[("a", "To: a\n\nxxx"), ("b", MESSAGE)]);
    let paths = ["missing", "a", "b"].map(|name| root.join(name));
    let what: Vec<String> = seen(root, &paths, 9)
        .into_iter()
        .map(|(_, what)| what)
        .collect();
    assert_eq!(what, ["failed", "failed", "9"]);
}
