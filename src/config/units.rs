//! The little languages of values: sizes, durations, permission bits. Sockets are [`gatepost_words::SocketAddress`].

use std::net::{IpAddr, SocketAddr};

/// Reads `50MiB`, `64KiB`, `2GiB`, `512B` or `512`. The error is a help text.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let factor: u64 = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => {
            let guess = unit
                .chars()
                .next()
                .map(|c| c.to_ascii_uppercase())
                .filter(|c| "KMG".contains(*c));
            return Err(match guess {
                Some(letter) if !number.is_empty() => format!("write \"{number}{letter}iB\""),
                _ => "write a whole number and B, KiB, MiB or GiB, such as \"50MiB\"".to_owned(),
            });
        }
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .ok_or_else(|| "write a whole number and B, KiB, MiB or GiB, such as \"50MiB\"".to_owned())
}

/// Reads `500ms`, `20s`, `5m`, `2h` into milliseconds. The error is a help text.
pub(super) fn duration(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let factor: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "" if !number.is_empty() => {
            return Err(format!(
                "a duration has a unit: write \"{number}s\" for seconds"
            ));
        }
        _ => return Err("write a whole number and ms, s, m or h, such as \"20s\"".to_owned()),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .ok_or_else(|| "write a whole number and ms, s, m or h, such as \"20s\"".to_owned())
}

/// Reads octal permission bits, `0660` or `660`.
pub(super) fn mode(text: &str) -> Option<u32> {
    let digits =
        (3..=4).contains(&text.len()) && text.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
    if !digits {
        return None;
    }
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|bits| *bits <= 0o777)
}

fn split(text: &str) -> (&str, &str) {
    let end = text
        .bytes()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at_checked(end)
        .map_or((text, ""), |(number, unit)| (number, unit.trim_start()))
}

/// Reads `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`; `port` where none is
/// given.
pub(super) fn server(text: &str, port: u16) -> Option<SocketAddr> {
    let address = text.parse::<IpAddr>();
    let with_port = || text.parse::<SocketAddr>().ok();
    address
        .map_or_else(
            |_| with_port(),
            |address| Some(SocketAddr::new(address, port)),
        )
        .filter(|server| server.port() > 0)
}

/// Bytes as people write them: the largest unit that divides them.
pub(super) fn show_size(bytes: u64) -> String {
    for (unit, factor) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if bytes >= factor && bytes.is_multiple_of(factor) {
            return format!("{}{unit}", bytes / factor);
        }
    }
    format!("{bytes}B")
}

/// Milliseconds as people write them: the largest unit that divides them.
pub(super) fn show_duration(milliseconds: u64) -> String {
    for (unit, factor) in [("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
        if milliseconds >= factor && milliseconds.is_multiple_of(factor) {
            return format!("{}{unit}", milliseconds / factor);
        }
    }
    if milliseconds == 0 {
        "0s".to_owned()
    } else {
        format!("{milliseconds}ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_have_the_port_that_is_written_or_the_usual_one() {
        for (text, expected) in [
            ("192.0.2.1", Some("192.0.2.1:53")),
            ("192.0.2.1:5353", Some("192.0.2.1:5353")),
            ("2001:db8::1", Some("[2001:db8::1]:53")),
            ("[2001:db8::1]:5353", Some("[2001:db8::1]:5353")),
            ("192.0.2.1:0", None),
            ("dns.example", None),
        ] {
            let expected = expected.map(|text| text.parse().unwrap());
            assert_eq!(server(text, 53), expected, "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("50MiB", 50 << 20),
            ("1KiB", 1024),
            ("2GiB", 2 << 30),
            ("7B", 7),
            ("9", 9),
            ("3 MiB", 3 << 20),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for (text, help) in [
            ("50MB", "\"50MiB\""),
            ("5k", "\"5KiB\""),
            ("", "whole"),
            ("MiB", "whole"),
            ("-1", "whole"),
        ] {
            assert!(
                size(text).unwrap_err().contains(help),
                "{text}: {:?}",
                size(text)
            );
        }
        assert!(size("99999999999999999999").is_err());
        assert!(size("18014398509481984KiB").is_err(), "2^64 does not fit");
        assert_eq!(size("18014398509481983KiB"), Ok(u64::MAX - 1023));
    }

    #[test]
    fn durations() {
        for (text, ms) in [
            ("500ms", 500),
            ("20s", 20_000),
            ("5m", 300_000),
            ("2h", 7_200_000),
            ("0s", 0),
        ] {
            assert_eq!(duration(text), Ok(ms), "{text}");
        }
        for (text, help) in [
            ("20", "\"20s\""),
            ("20 sec", "ms, s, m or h"),
            ("", "ms, s"),
            ("s", "ms, s"),
        ] {
            assert!(
                duration(text).unwrap_err().contains(help),
                "{text}: {:?}",
                duration(text)
            );
        }
    }

    #[test]
    fn what_is_shown_can_be_read_back() {
        for bytes in [0, 1, 1023, 1024, 1025, 50 << 20, 3 << 30] {
            assert_eq!(size(&show_size(bytes)), Ok(bytes));
        }
        for ms in [0, 1, 999, 1000, 1500, 60_000, 61_000, 3_600_000] {
            assert_eq!(duration(&show_duration(ms)), Ok(ms));
        }
    }

    #[test]
    fn modes() {
        for (text, bits) in [
            ("0660", Some(0o660)),
            ("660", Some(0o660)),
            ("0777", Some(0o777)),
            ("1777", None),
        ] {
            assert_eq!(mode(text), bits, "{text}");
        }
        for text in ["", "66", "0o660", "888", "06600", "rw-"] {
            assert_eq!(mode(text), None, "{text}");
        }
    }
}
