//! Numbered places for connections.

/// Where a value is, and which of those that were there. Below 2^63, so that
/// events have a bit left for other things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(u64);

impl Key {
    fn new(index: usize, generation: u32) -> Self {
        /// One bit less than there is.
        const GENERATIONS: u32 = u32::MAX >> 1;
        Key(u64::from(generation & GENERATIONS) << 32 | index as u64)
    }

    fn index(self) -> usize {
        self.0 as u32 as usize
    }

    pub(crate) fn to_bits(self) -> u64 {
        self.0
    }

    pub(crate) fn from_bits(bits: u64) -> Self {
        Key(bits)
    }
}

/// Values by keys. Places are used again and keys are not, so that nobody who
/// has left is taken for the next one in the same place.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    places: Vec<Place<T>>,
    free: Vec<usize>,
}

#[derive(Debug)]
struct Place<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Slab {
            places: Vec::new(),
            free: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// The key that the next value will get.
    pub(crate) fn next_key(&self) -> Key {
        match self.free.last() {
            Some(index) => Key::new(*index, self.places[*index].generation),
            None => Key::new(self.places.len(), 0),
        }
    }

    pub(crate) fn insert(&mut self, value: T) -> Key {
        let key = self.next_key();
        if let Some(index) = self.free.pop() {
            self.places[index].value = Some(value);
        } else {
            self.places.push(Place {
                generation: 0,
                value: Some(value),
            });
        }
        key
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.place(key)?.value.as_mut()
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let place = self.place(key)?;
        let value = place.value.take()?;
        place.generation = place.generation.wrapping_add(1);
        self.free.push(key.index());
        Some(value)
    }

    fn place(&mut self, key: Key) -> Option<&mut Place<T>> {
        let index = key.index();
        let place = self.places.get_mut(index)?;
        (Key::new(index, place.generation) == key).then_some(place)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> + Clone {
        self.places.iter().enumerate().filter_map(|(index, place)| {
            let key = Key::new(index, place.generation);
            Some((key, place.value.as_ref()?))
        })
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (Key, &mut T)> {
        self.places
            .iter_mut()
            .enumerate()
            .filter_map(|(index, place)| {
                let key = Key::new(index, place.generation);
                Some((key, place.value.as_mut()?))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_used_again_and_a_key_is_not() {
        let mut slab = Slab::new();
        let (a, b) = (slab.insert('a'), slab.insert('b'));
        assert_eq!(slab.remove(a), Some('a'));
        assert_eq!(slab.remove(a), None);
        let next = slab.next_key();
        let c = slab.insert('c');
        assert_eq!(c, next);
        assert_eq!((c.index(), c == a), (a.index(), false));
        assert_eq!(slab.get_mut(a), None);
        assert_eq!(slab.remove(a), None);
        assert_eq!(slab.len(), 2);
        assert_eq!(slab.get_mut(b), Some(&mut 'b'));
        assert_eq!(slab.get_mut(Key::from_bits(c.to_bits())), Some(&mut 'c'));
        let all: Vec<_> = slab.iter_mut().map(|(key, value)| (key, *value)).collect();
        assert_eq!(all, [(c, 'c'), (b, 'b')]);
    }

    #[test]
    fn keys_leave_a_bit_free() {
        assert_eq!(Key::new(u32::MAX as usize, u32::MAX).to_bits() >> 63, 0);
    }
}
