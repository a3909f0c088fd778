//! All dialogues, and that a departure from one is shown.

use super::*;

#[test]
fn all_dialogues() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialogue");
    let count = run_all(directory).unwrap_or_else(|failures| panic!("{failures}"));
    assert!(count >= 45, "only {count} dialogues");
}

#[test]
fn a_departure_is_shown() {
    let good = "> OPTNEG actions=0 protocol=0\n< OPTNEG version=6 actions=0x0 protocol=0x0\n> HELO x.example\n< CONTINUE\n";
    assert_eq!(run(good), Ok(()));
    assert_eq!(
        bless(&good.replace("< CONTINUE\n", "")).as_deref(),
        Ok(good)
    );
    for (was, is, shown) in [
        (
            "< CONTINUE",
            "< ACCEPT",
            "expected: < ACCEPT\n  happened: < CONTINUE",
        ),
        (
            "< CONTINUE",
            "",
            "expected: (the end)\n  happened: < CONTINUE",
        ),
        (
            "< CONTINUE",
            "< CONTINUE\n< CONTINUE",
            "expected: < CONTINUE\n  happened: (nothing more)",
        ),
        (
            "< CONTINUE",
            "@ HELO y.example\n< CONTINUE",
            "happened: @ NEGOTIATED",
        ),
        ("> HELO", "> HELLO", "unknown command HELLO"),
        ("> HELO", "HELO", "begins with none of"),
    ] {
        let error = run(&good.replace(was, is)).unwrap_err();
        assert!(error.contains(shown), "{error}");
    }
}

#[test]
fn words_and_quotes() {
    let line = r#"a "b c" ; "\x00\n\"" x;y "" "#;
    let expected: [&[u8]; 8] = [b"a", b"b c", b";", b"\0\n\"", b"x", b";", b"y", b""];
    assert_eq!(words(line).unwrap(), expected);
    for word in expected {
        assert_eq!(words(&quote(word)).unwrap(), [word]);
    }
    assert!(words("\"open").is_err());
}
