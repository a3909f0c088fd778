//! Hexadecimal digits, written in lower case and read in either.

/// Bytes as hexadecimal digits.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(digit_of(byte >> 4));
        text.push(digit_of(byte & 0xf));
    }
    text
}

/// Bytes from hexadecimal digits; `None` where something else is between them, or one is left over.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    pairs.iter().map(|[high, low]| byte(*high, *low)).collect()
}

/// The byte that two hexadecimal digits name.
pub fn byte(high: u8, low: u8) -> Option<u8> {
    Some((value(high)? << 4) | value(low)?)
}

/// The value of a hexadecimal digit.
pub fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// The digit of the low four bits.
fn digit_of(value: u8) -> char {
    let value = value & 0xf;
    char::from(match value {
        0..=9 => b'0' + value,
        _ => b'a' + value - 10,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_read_back() {
        let bytes: Vec<u8> = (0..=255).collect();
        let text = encode(&bytes);
        assert!(text.starts_with("000102") && text.ends_with("fdfeff"));
        assert_eq!(decode(&text), Some(bytes.clone()));
        assert_eq!(decode(&text.to_uppercase()), Some(bytes));
    }

    #[test]
    fn what_is_not_hexadecimal_is_refused() {
        assert_eq!(decode(""), Some(Vec::new()));
        for text in ["0", "000", "0g", "+1", "é"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
