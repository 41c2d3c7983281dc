//! Queues for many clients, which take turns.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// A queue for each client for which something waits. The items for one client stay in
/// their order, and the clients take turns.
///
/// # Invariants
/// No queue is empty, and `order` has the key of each queue once.
#[derive(Debug)]
pub(crate) struct FairQueues<K, T> {
    queues: HashMap<K, VecDeque<T>>,
    /// The clients in the order of their turns.
    order: VecDeque<K>,
}

impl<K, T> Default for FairQueues<K, T> {
    fn default() -> Self {
        FairQueues {
            queues: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<K: Clone + Eq + Hash, T> FairQueues<K, T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.queues.is_empty()
    }

    /// The number of clients for which something waits.
    pub(crate) fn clients(&self) -> usize {
        self.queues.len()
    }

    /// Whether something waits for this client. The next item for it must wait as well.
    pub(crate) fn has(&self, key: &K) -> bool {
        // Usually nothing waits for anybody, so that nothing must be hashed.
        !self.queues.is_empty() && self.queues.contains_key(key)
    }

    /// The next item for this client.
    pub(crate) fn front(&self, key: &K) -> Option<&T> {
        self.queues.get(key)?.front()
    }

    /// The next item for each client, in no particular order.
    pub(crate) fn fronts(&self) -> impl Iterator<Item = (&K, &T)> {
        let queues = self.queues.iter();
        queues.filter_map(|(key, queue)| Some((key, queue.front()?)))
    }

    pub(crate) fn push(&mut self, key: K, item: T) {
        if let Some(queue) = self.queues.get_mut(&key) {
            queue.push_back(item);
            return;
        }
        self.order.push_back(key.clone());
        self.queues.insert(key, VecDeque::from([item]));
    }

    /// Gives up to `most` clients their turn, in which `serve` takes what is done from
    /// a client's queue. A client whose queue is not empty then has its next turn after
    /// all others.
    pub(crate) fn serve_in_turn(
        &mut self,
        most: usize,
        mut serve: impl FnMut(&K, &mut VecDeque<T>),
    ) {
        for _ in 0..most.min(self.order.len()) {
            let Some(key) = self.order.pop_front() else {
                return;
            };
            if self.serve_queue(&key, &mut serve) {
                self.order.push_back(key);
            }
        }
        // Tables that were large for many clients are freed.
        if self.order.is_empty() {
            *self = FairQueues::default();
        }
    }

    /// Serves one client although it is not its turn. [`has`](Self::has) tells whether
    /// something still waits for it.
    pub(crate) fn serve_now(&mut self, key: &K, serve: impl FnMut(&K, &mut VecDeque<T>)) {
        if self.has(key) && !self.serve_queue(key, serve) {
            self.order.retain(|other| other != key);
        }
    }

    /// Serves one queue, and returns whether anything is left in it.
    fn serve_queue(&mut self, key: &K, mut serve: impl FnMut(&K, &mut VecDeque<T>)) -> bool {
        let Some(queue) = self.queues.get_mut(key) else {
            return false;
        };
        serve(key, queue);
        let is_left = !queue.is_empty();
        if !is_left {
            self.queues.remove(key);
        }
        is_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled() -> FairQueues<char, u32> {
        let mut queues = FairQueues::default();
        for (key, item) in [('a', 1), ('a', 2), ('b', 3), ('c', 4), ('b', 5)] {
            queues.push(key, item);
        }
        queues
    }

    /// Takes one item from each queue that has its turn.
    fn one_each(queues: &mut FairQueues<char, u32>, most: usize) -> Vec<(char, u32)> {
        let mut taken = Vec::new();
        queues.serve_in_turn(most, |key, queue| {
            taken.extend(queue.pop_front().map(|item| (*key, item)));
        });
        taken
    }

    #[test]
    fn clients_take_turns_and_keep_their_order() {
        let mut queues = filled();
        assert_eq!(one_each(&mut queues, 2), [('a', 1), ('b', 3)]);
        assert_eq!(one_each(&mut queues, 9), [('c', 4), ('a', 2), ('b', 5)]);
        assert!(queues.is_empty());
    }

    #[test]
    fn one_that_takes_nothing_waits_behind_the_others() {
        let mut queues = filled();
        queues.serve_in_turn(1, |_, _| {});
        assert_eq!(one_each(&mut queues, 3), [('b', 3), ('c', 4), ('a', 1)]);
    }

    #[test]
    fn one_is_served_although_it_is_not_its_turn() {
        let mut queues = filled();
        queues.serve_now(&'b', |_, queue| queue.clear());
        queues.serve_now(&'x', |_, _| panic!("it does not wait"));
        assert!(!queues.has(&'b') && queues.has(&'a'));
        assert_eq!(one_each(&mut queues, 9), [('a', 1), ('c', 4)]);
        queues.push('b', 6);
        assert_eq!(one_each(&mut queues, 9), [('a', 2), ('b', 6)]);
    }
}
