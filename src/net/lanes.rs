//! What waits for many clients at once.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// A lane of waiting things for each client. Those of one client stay in their
/// order, and the clients take turns.
///
/// # Invariants
/// No lane is empty, and `line` has the key of each lane once.
#[derive(Debug)]
pub(crate) struct Lanes<K, T> {
    lanes: HashMap<K, VecDeque<T>>,
    line: VecDeque<K>,
}

impl<K, T> Default for Lanes<K, T> {
    fn default() -> Self {
        Lanes {
            lanes: HashMap::new(),
            line: VecDeque::new(),
        }
    }
}

impl<K: Clone + Eq + Hash, T> Lanes<K, T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    /// Whether something waits for this client. What comes next for it has to
    /// wait as well.
    pub(crate) fn has(&self, key: &K) -> bool {
        // In the usual case nobody is late, and nothing has to be hashed.
        !self.lanes.is_empty() && self.lanes.contains_key(key)
    }

    /// What comes next for this client.
    pub(crate) fn first(&self, key: &K) -> Option<&T> {
        self.lanes.get(key)?.front()
    }

    /// What comes next for each client, in no order.
    pub(crate) fn firsts(&self) -> impl Iterator<Item = (&K, &T)> {
        let lanes = self.lanes.iter();
        lanes.filter_map(|(key, lane)| Some((key, lane.front()?)))
    }

    pub(crate) fn push(&mut self, key: K, thing: T) {
        if let Some(lane) = self.lanes.get_mut(&key) {
            lane.push_back(thing);
            return;
        }
        self.line.push_back(key.clone());
        self.lanes.insert(key, VecDeque::from([thing]));
    }

    /// Lets up to `most` clients have a turn: `serve` takes from a lane what is
    /// done with, and as long as there is a rest the client stands in line again.
    pub(crate) fn take_turns(&mut self, most: usize, mut serve: impl FnMut(&K, &mut VecDeque<T>)) {
        for _ in 0..most.min(self.line.len()) {
            let Some(key) = self.line.pop_front() else {
                return;
            };
            if self.serve_lane(&key, &mut serve) {
                self.line.push_back(key);
            }
        }
        // Of a crowd that has left nothing stays.
        if self.line.is_empty() {
            *self = Lanes::default();
        }
    }

    /// Lets one client have a turn out of line. Whether it still waits is for
    /// [`has`](Self::has) to tell.
    pub(crate) fn take_turn_of(&mut self, key: &K, serve: impl FnMut(&K, &mut VecDeque<T>)) {
        if self.has(key) && !self.serve_lane(key, serve) {
            self.line.retain(|other| other != key);
        }
    }

    /// Returns whether anything is left in the lane.
    fn serve_lane(&mut self, key: &K, mut serve: impl FnMut(&K, &mut VecDeque<T>)) -> bool {
        let Some(lane) = self.lanes.get_mut(key) else {
            return false;
        };
        serve(key, lane);
        let is_left = !lane.is_empty();
        if !is_left {
            self.lanes.remove(key);
        }
        is_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled() -> Lanes<char, u32> {
        let mut lanes = Lanes::default();
        for (key, thing) in [('a', 1), ('a', 2), ('b', 3), ('c', 4), ('b', 5)] {
            lanes.push(key, thing);
        }
        lanes
    }

    /// Takes one thing from each lane that has a turn.
    fn one_each(lanes: &mut Lanes<char, u32>, most: usize) -> Vec<(char, u32)> {
        let mut taken = Vec::new();
        lanes.take_turns(most, |key, lane| {
            taken.extend(lane.pop_front().map(|thing| (*key, thing)));
        });
        taken
    }

    #[test]
    fn clients_take_turns_and_keep_their_order() {
        let mut lanes = filled();
        assert_eq!(one_each(&mut lanes, 2), [('a', 1), ('b', 3)]);
        assert_eq!(one_each(&mut lanes, 9), [('c', 4), ('a', 2), ('b', 5)]);
        assert!(lanes.is_empty());
    }

    #[test]
    fn who_does_not_take_anything_waits_at_the_end() {
        let mut lanes = filled();
        lanes.take_turns(1, |_, _| {});
        assert_eq!(one_each(&mut lanes, 3), [('b', 3), ('c', 4), ('a', 1)]);
    }

    #[test]
    fn one_turn_out_of_line() {
        let mut lanes = filled();
        lanes.take_turn_of(&'b', |_, lane| lane.clear());
        lanes.take_turn_of(&'x', |_, _| panic!("it does not wait"));
        assert!(!lanes.has(&'b') && lanes.has(&'a'));
        assert_eq!(one_each(&mut lanes, 9), [('a', 1), ('c', 4)]);
        lanes.push('b', 6);
        assert_eq!(one_each(&mut lanes, 9), [('a', 2), ('b', 6)]);
    }
}
