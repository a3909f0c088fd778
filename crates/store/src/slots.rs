//! Slots as they are stored in files.

use super::codec::{Input, put_number};

/// The slots of one message as they are stored in the log: their differences, seven bits a byte. A reader
/// that only wants to know which labels there are does not unpack them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackedSlots(Vec<u8>);

impl PackedSlots {
    /// Most slots of one message.
    pub const MAX: usize = 32_000;

    /// Packs slots, which ascend; of more than [`PackedSlots::MAX`] the first ones.
    pub fn of(slots: &[u32]) -> Self {
        let slots = slots.get(..Self::MAX).unwrap_or(slots);
        let mut out = Vec::with_capacity(2 * slots.len());
        put_number(slots.len() as u64, &mut out);
        let mut last = 0;
        for &slot in slots {
            put_number(u64::from(slot.saturating_sub(last)), &mut out);
            last = slot;
        }
        Self(out)
    }

    /// The slots; `None` where the bytes are none that [`PackedSlots::of`] makes.
    pub fn numbers(&self) -> Option<Vec<u32>> {
        let mut input = Input(&self.0);
        let count = input.count(Self::MAX)?;
        let mut numbers = Vec::with_capacity(count);
        let mut last = 0_u32;
        while numbers.len() < count {
            last = last.checked_add(u32::try_from(input.number()?).ok()?)?;
            numbers.push(last);
        }
        input.is_empty().then_some(numbers)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// All of these bytes. That there is one slot for each byte that ends a number is checked here,
    /// the rest when they are unpacked.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut input = Input(bytes);
        let count = input.count(Self::MAX)?;
        let ends = |bytes: &[u8]| bytes.iter().filter(|byte| **byte < 0x80).count();
        (ends(input.0) == count && bytes.last().is_some_and(|byte| *byte < 0x80))
            .then(|| Self(bytes.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn as_many_as_there_may_be_and_no_more() {
        let count = u32::try_from(PackedSlots::MAX).unwrap();
        let most: Vec<u32> = (0..count).map(|slot| slot * 3).collect();
        assert_eq!(PackedSlots::of(&most).numbers().as_deref(), Some(&*most));
        let more: Vec<u32> = (0..=count).collect();
        assert_eq!(
            PackedSlots::of(&more).numbers().unwrap().len(),
            most.len(),
            "truncated, not refused"
        );
        for (count, fits) in [(most.len(), true), (most.len() + 1, false)] {
            let mut packed = Vec::new();
            put_number(count as u64, &mut packed);
            packed.resize(packed.len() + count, 1);
            assert_eq!(PackedSlots::from_bytes(&packed).is_some(), fits, "{count}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        // No count; fewer numbers than counted; more; the last one truncated; one too large; one that no
        // u32 holds.
        let wrong: [&[u8]; 4] = [&[], &[2, 1], &[1, 1, 1], &[1, 0x81]];
        assert!(
            wrong
                .iter()
                .all(|bytes| PackedSlots::from_bytes(bytes).is_none())
        );
        let late: [&[u8]; 2] = [
            &[1, 0xff, 0xff, 0xff, 0xff, 0x7f],
            &[2, 0xff, 0xff, 0xff, 0xff, 0x0f, 1],
        ];
        assert!(
            late.iter()
                .all(|bytes| PackedSlots::from_bytes(bytes).unwrap().numbers().is_none())
        );
    }

    proptest! {
        #[test]
        fn what_was_packed_is_unpacked(
            slots in proptest::collection::btree_set(prop_oneof![any::<u32>(), 0_u32..70_000], 0..80),
        ) {
            let slots: Vec<u32> = slots.into_iter().collect();
            let packed = PackedSlots::of(&slots);
            prop_assert_eq!(packed.numbers(), Some(slots));
            prop_assert_eq!(PackedSlots::from_bytes(packed.bytes()), Some(packed));
        }
    }
}
