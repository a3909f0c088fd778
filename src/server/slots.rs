//! Numbered places for connections. A place is used again; its generation tells the entries apart,
//! so that a report for the one that left never reaches the one that moved in.

/// Names one entry of one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// The place.
    pub(super) slot: usize,
    /// Which entry of it.
    pub(super) generation: u64,
}

#[derive(Debug)]
struct Place<T> {
    generation: u64,
    entry: Option<Box<T>>,
}

/// The places. As many are kept as were ever used at once.
#[derive(Debug)]
pub(super) struct Slots<T> {
    places: Vec<Place<T>>,
    free: Vec<usize>,
}

impl<T> Slots<T> {
    pub(super) fn new() -> Self {
        Self {
            places: Vec::new(),
            free: Vec::new(),
        }
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Lets a new entry in, who may know its own key; `Err` leaves the place free.
    pub(super) fn insert<E>(&mut self, make: impl FnOnce(Key) -> Result<T, E>) -> Result<Key, E> {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place {
                generation: 0,
                entry: None,
            });
            self.places.len() - 1
        });
        let generation = self.places.get(slot).map_or(0, |place| place.generation);
        let key = Key { slot, generation };
        match make(key) {
            Ok(entry) => {
                if let Some(place) = self.places.get_mut(slot) {
                    place.entry = Some(Box::new(entry));
                }
                Ok(key)
            }
            Err(error) => {
                self.leave(slot);
                Err(error)
            }
        }
    }

    /// The entry of a place, whichever it is.
    pub(super) fn entry(&mut self, slot: usize) -> Option<&mut T> {
        self.places.get_mut(slot)?.entry.as_deref_mut()
    }

    /// The entry of that name, if it is still there.
    pub(super) fn find(&mut self, key: Key) -> Option<&mut T> {
        self.places
            .get_mut(key.slot)
            .filter(|place| place.generation == key.generation)?
            .entry
            .as_deref_mut()
    }

    /// Lets the entry of a place out.
    pub(super) fn remove(&mut self, slot: usize) -> Option<Box<T>> {
        let entry = self.places.get_mut(slot)?.entry.take()?;
        self.leave(slot);
        Some(entry)
    }

    /// The places that are taken.
    pub(super) fn taken(&self) -> Vec<usize> {
        (0..)
            .zip(&self.places)
            .filter(|(_, place)| place.entry.is_some())
            .map(|(slot, _)| slot)
            .collect()
    }

    /// All entries.
    pub(super) fn entries(&self) -> impl Iterator<Item = (usize, &T)> {
        (0..)
            .zip(&self.places)
            .filter_map(|(slot, place)| Some((slot, place.entry.as_deref()?)))
    }

    fn leave(&mut self, slot: usize) {
        if let Some(place) = self.places.get_mut(slot) {
            place.generation += 1;
            self.free.push(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Slots;

    #[test]
    fn a_new_tenant_does_not_answer_to_the_old_name() {
        let mut slots = Slots::new();
        let first = slots.insert(|_| Ok::<_, ()>("first")).unwrap();
        assert_eq!(slots.find(first), Some(&mut "first"));
        assert!(slots.remove(first.slot).is_some());
        assert!(slots.remove(first.slot).is_none());
        let second = slots.insert(|_| Ok::<_, ()>("second")).unwrap();
        assert_eq!(first.slot, second.slot);
        assert_eq!(slots.find(first), None);
        assert_eq!(slots.find(second), Some(&mut "second"));
        assert_eq!(slots.len(), 1);
    }

    #[test]
    fn a_place_that_was_not_taken_is_free_again() {
        let mut slots = Slots::<u8>::new();
        assert_eq!(slots.insert(|_| Err::<u8, _>("no")), Err("no"));
        assert_eq!(slots.len(), 0);
        assert_eq!(
            slots
                .insert(|key| Ok::<_, ()>(u8::try_from(key.slot).unwrap()))
                .unwrap()
                .slot,
            0
        );
        assert_eq!(slots.taken(), [0]);
    }
}
