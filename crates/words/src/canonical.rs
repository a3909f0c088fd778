//! A canonical encoding of settings: the same values always give the same bytes, other values other
//! bytes. A generation's name is a digest over it.
//!
//! Each type writes itself, field by field, with the field's name and the length of its value, so
//! that no two different values run together. An implementation takes its value apart without `..`:
//! a new field does not compile until it is written too.

/// A value with a canonical encoding.
pub trait Canonical {
    /// Writes all fields.
    fn encode(&self, out: &mut Encoder);
}

/// Collects the encoding.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    bytes: Vec<u8>,
}

impl Encoder {
    /// An empty encoding of this version of a form; a new version gives other bytes for all values.
    pub fn new(form: &str, version: u32) -> Self {
        let mut encoder = Self::default();
        encoder.number(form, u64::from(version));
        encoder
    }

    /// What was written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A field of bytes.
    pub fn bytes(&mut self, name: &str, value: &[u8]) {
        self.piece(name.as_bytes());
        self.piece(value);
    }

    /// A field of text.
    pub fn text(&mut self, name: &str, value: &str) {
        self.bytes(name, value.as_bytes());
    }

    /// A whole number.
    pub fn number(&mut self, name: &str, value: u64) {
        self.bytes(name, &value.to_be_bytes());
    }

    /// A count or a size.
    pub fn size(&mut self, name: &str, value: usize) {
        self.number(name, value as u64);
    }

    /// Yes or no.
    pub fn flag(&mut self, name: &str, value: bool) {
        self.number(name, u64::from(value));
    }

    /// A fraction, by its bits.
    pub fn float(&mut self, name: &str, value: f64) {
        self.number(name, value.to_bits());
    }

    /// A list of texts, in their order.
    pub fn list<'a>(&mut self, name: &str, values: impl IntoIterator<Item = &'a str>) {
        let mut inner = Self::default();
        for value in values {
            inner.piece(value.as_bytes());
        }
        self.bytes(name, &inner.bytes);
    }

    /// A value that writes itself.
    pub fn nested(&mut self, name: &str, value: &impl Canonical) {
        let mut inner = Self::default();
        value.encode(&mut inner);
        self.bytes(name, &inner.bytes);
    }

    fn piece(&mut self, bytes: &[u8]) {
        self.bytes
            .extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        self.bytes.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::Encoder;

    fn list(values: &[&str]) -> Vec<u8> {
        let mut encoder = Encoder::new("test", 1);
        encoder.list("list", values.iter().copied());
        encoder.as_bytes().to_vec()
    }

    #[test]
    fn different_values_never_run_together() {
        let values: [&[&str]; 6] = [&[], &[""], &["ab"], &["a", "b"], &["", "ab"], &["b", "a"]];
        for (at, one) in values.iter().enumerate() {
            for other in values.iter().skip(at + 1) {
                assert_ne!(list(one), list(other), "{one:?} {other:?}");
            }
        }
        let field = |name: &str, value: &str| {
            let mut encoder = Encoder::new("test", 1);
            encoder.text(name, value);
            encoder.as_bytes().to_vec()
        };
        assert_ne!(field("a", "bc"), field("ab", "c"));
        assert_ne!(
            Encoder::new("test", 1).as_bytes(),
            Encoder::new("test", 2).as_bytes()
        );
    }
}
