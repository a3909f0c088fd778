//! Tests of slots: which word of which field has which place.

use super::*;
use crate::features::TrustedAuthservIds;

fn view(raw: &str) -> SiteView {
    SiteView::of_stored(raw.as_bytes(), &TrustedAuthservIds::none())
}

fn words(raw: &str) -> Vec<(String, String)> {
    let view = view(raw);
    let mut words = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    each_header_word(&view, 18, |word| {
        words.push((text(word.field), text(word.text)));
    });
    each_text_word(&view, 18, |_, word| {
        words.push((text(word.field), text(word.text)));
    });
    words
}

/// How many slots each section has.
fn counts(slots: &Slots) -> Vec<(Section, usize)> {
    slots
        .sections(18)
        .map(|(section, slots)| (section, slots.len()))
        .collect()
}

#[test]
fn slots_are_a_bounded_set() {
    let grams = |raw: &str| counts(&Slots::of(&view(raw), &SiteSettings::default()))[0].1;
    // Fields are set apart, so the 4-grams of another field with the same value are others.
    let (none, one, both) = (
        grams("\n\n"),
        grams("Ab: zzzzzzzzzz\n\n"),
        grams("Ab: zzzzzzzzzz\nCd: zzzzzzzzzz\n\n"),
    );
    assert!(
        none < one && both >= one + (one - none) - 4,
        "{none} {one} {both}"
    );
    for n in [1_000, 6_000, 20_000] {
        let text = (0..n).fold(String::new(), |text, i| text + &format!("{i} "));
        let domains = vec!["one.example".to_owned()];
        let settings = SiteSettings {
            domains,
            ..SiteSettings::default()
        };
        let slots = Slots::of(
            &view(&format!("Delivered-To: a@one.example\nX: {text}\n\n{text}")),
            &settings,
        );
        assert!(slots.numbers().len() < Slots::LIMIT);
        assert!(
            slots.numbers().is_sorted_by(|a, b| a < b),
            "sorted, each once"
        );
        assert_eq!(Slots::from_numbers(slots.numbers().to_vec()), slots);
    }
}

#[test]
fn windows_of_the_text_are_sections() {
    let slots = |text: &str| Slots::of(&view(&format!("\n\n{text}")), &SiteSettings::default());
    let sections = |text: &str| {
        counts(&slots(text))
            .last()
            .map_or(0, |(section, _)| *section)
    };
    assert_eq!(sections("ab"), FIRST_WINDOW);
    assert_eq!(sections(&"ab ".repeat(WINDOW + 1)), FIRST_WINDOW + 3);
    let longest = sections(&"ab ".repeat(SiteView::TEXT));
    assert_eq!(
        longest as usize,
        FIRST_WINDOW as usize + SiteView::TEXT / WINDOW
    );
    // The same words in another window have the same weights.
    let filler = "x ".repeat(WINDOW / 2);
    let (first, second) = (
        slots(&format!("{filler}ab cd")),
        slots(&format!("{filler}{filler}ab cd")),
    );
    let places = |slots: &Slots| -> Vec<usize> {
        let last = slots
            .sections(18)
            .last()
            .map(|(_, slots)| slots.to_vec())
            .unwrap_or_default();
        last.iter().map(|slot| place(*slot, 18)).collect()
    };
    assert_eq!(places(&first), places(&second));
    assert!(
        places(&first)
            .iter()
            .all(|place| (2 << 18..3 << 18).contains(place))
    );
}

#[test]
fn a_set_takes_each_slot_once_and_gives_it_back() {
    let mut set = Set::new(16);
    let last = (1 << 16) - 1;
    for (slot, is_new) in [
        (5, true),
        (5, false),
        (last, true),
        (last, false),
        (5 | 3 << 16, false),
    ] {
        assert_eq!(set.add(slot), is_new, "{slot}");
    }
    set.remove(&[5, last]);
    assert!(set.words.iter().all(|word| *word == 0));
}

#[test]
fn words_are_those_of_fields_and_of_the_decoded_text() {
    let raw = "Subject: Win $9.99!\n folded\nX: a\nContent-Transfer-Encoding: base64\n\nSGVsbG8sIHdvcmxkIQ==\n";
    let found = words(raw);
    let of = |wanted: &str| -> Vec<&str> {
        found
            .iter()
            .filter(|(field, _)| field == wanted)
            .map(|(_, text)| text.as_str())
            .collect()
    };
    assert_eq!(of("Subject"), ["Win", "$9.99!", "folded"]);
    assert_eq!(of("X"), [""; 0], "one letter is no word");
    assert_eq!(of(""), ["Win", "$9.99!", "folded", "Hello", "world!"]);
}

#[test]
fn words_have_their_place_and_no_case() {
    let slots = |raw: &str| {
        let mut slots = Vec::new();
        each_header_word(&view(raw), 18, |word| {
            slots.push((word.alone, word.with_last));
        });
        each_text_word(&view(raw), 18, |_, word| {
            slots.push((word.alone, word.with_last));
        });
        slots
    };
    let last = |raw: &str| slots(raw).last().copied().unwrap();
    let last_alone = |raw: &str| last(raw).0;
    assert_eq!(last_alone("\n\none two"), last_alone("\n\nthree TWO"));
    assert_ne!(
        last("\n\none two").1,
        last("\n\nthree two").1,
        "the pair differs"
    );
    let place = |raw: &str| place(last_alone(raw), 18);
    assert_ne!(place("\n\ntwo"), place("Xy: two\n\n"));
    assert_ne!(place("Xy: two\n\n"), place("Yx: two\n\n"));
    let trust = TrustedAuthservIds::new(&["mx.example.net".to_owned()]);
    let forged = SiteView::of_stored(b" aligned\nFrom: x@example.com\n\n", &trust);
    let mut found = Vec::new();
    each_header_word(&forged, 18, |word| {
        found.push((word.field.to_vec(), word.text.to_vec()));
    });
    assert!(
        found.contains(&(b"auth".to_vec(), b"none".to_vec()))
            && found.contains(&(Vec::new(), b"aligned".to_vec()))
    );
    assert_ne!(
        last_alone("helo two\n\n"),
        slots("Received: from two (x [192.0.2.1])\n\n")[0].0,
        "not the session"
    );
}

/// What an attacker writes into a field of his own says nothing of other fields, nor does a
/// padded body.
#[test]
fn header_sections_do_not_depend_on_the_body() {
    let header = |raw: &str| -> Vec<Vec<u32>> {
        let slots = Slots::of(&view(raw), &SiteSettings::default());
        slots
            .sections(18)
            .filter(|(section, _)| *section < FIRST_WINDOW)
            .map(|(_, slots)| slots.to_vec())
            .collect()
    };
    let short = header("From: a@example.com\nSubject: x\n\nbody");
    assert_eq!(
        short,
        header(&format!(
            "From: a@example.com\nSubject: x\n\nbody{}",
            "<b>y</b> ".repeat(5_000)
        ))
    );
    assert_eq!(short.len(), 2);
    // Words of one more field are other slots; those that were there stay.
    let more = header("From: a@example.com\nSubject: x\nX-Mine: From a@example.com\n\nbody");
    let kept = |section: usize| {
        short[section]
            .iter()
            .filter(|slot| more[section].contains(slot))
            .count()
    };
    assert_eq!((kept(0), kept(1)), (short[0].len(), short[1].len()));
    assert!(more[1].len() > short[1].len());
}

#[test]
fn slots_of_a_log_are_bounded() {
    let most = u32::try_from(Slots::LIMIT).unwrap();
    for count in [most, most + 1] {
        assert_eq!(
            Slots::from_numbers((0..count).collect()).numbers().len(),
            Slots::LIMIT,
            "{count}"
        );
    }
}

#[test]
fn long_words_are_cut() {
    assert_eq!(
        words(&format!("\n\n{}", "x".repeat(99)))
            .last()
            .unwrap()
            .1
            .len(),
        30
    );
}

#[test]
fn the_copy_of_a_domain_lies_in_the_same_section_and_each_has_its_own() {
    let domains = vec!["one.example".to_owned(), "two.example".to_owned()];
    let settings = SiteSettings {
        domains,
        bits: 16,
        ..SiteSettings::default()
    };
    let copy = |domain: &str| {
        let raw = format!("Delivered-To: a@{domain}\n\n");
        Copied::of(&view(&raw), &settings)
    };
    assert!(copy("three.example").is_none());
    let [one, two] = ["one.example", "two.example"].map(|domain| copy(domain).unwrap());
    let mut seen = std::collections::BTreeSet::new();
    for slot in 0..4 << 16 {
        assert_eq!(one.slot(slot) >> 16, slot >> 16);
        assert!(seen.insert(one.slot(slot)));
    }
    assert_ne!(one.slot(5), two.slot(5));
}

#[test]
fn every_number_has_a_place() {
    for (slot, expected) in [
        (5, 5),
        (1 << 16, 1 << 16),
        (2 << 16 | 7, 2 << 16 | 7),
        (9 << 16 | 7, 2 << 16 | 7),
    ] {
        assert_eq!(place(slot, 16), expected);
    }
    assert!(place(u32::MAX, 16) < TABLES << 16);
    assert_eq!(Slots::default().sections(16).count(), 0);
}
