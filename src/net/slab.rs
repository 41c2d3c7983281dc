//! Numbered places for connections.

/// Values by small numbers, which are used again.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    places: Vec<Option<T>>,
    free: Vec<usize>,
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

    /// The number that the next value will get.
    pub(crate) fn next_key(&self) -> usize {
        self.free.last().copied().unwrap_or(self.places.len())
    }

    pub(crate) fn insert(&mut self, value: T) -> usize {
        if let Some(key) = self.free.pop() {
            self.places[key] = Some(value);
            return key;
        }
        self.places.push(Some(value));
        self.places.len() - 1
    }

    pub(crate) fn get_mut(&mut self, key: usize) -> Option<&mut T> {
        self.places.get_mut(key)?.as_mut()
    }

    pub(crate) fn remove(&mut self, key: usize) -> Option<T> {
        let value = self.places.get_mut(key)?.take();
        if value.is_some() {
            self.free.push(key);
        }
        value
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (usize, &mut T)> {
        self.places
            .iter_mut()
            .enumerate()
            .filter_map(|(key, place)| Some((key, place.as_mut()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_used_again() {
        let mut slab = Slab::new();
        let (a, b) = (slab.insert('a'), slab.insert('b'));
        assert_eq!(slab.remove(a), Some('a'));
        assert_eq!(slab.remove(a), None);
        assert_eq!(slab.next_key(), a);
        assert_eq!(slab.insert('c'), a);
        assert_eq!(slab.len(), 2);
        assert_eq!(slab.get_mut(b), Some(&mut 'b'));
    }
}
