//! The queue of predicted ends: a binary heap in which every path has at most one entry, so that
//! a changed prediction moves its entry and no stale entry remains.

/// Marks a path that is not queued.
const ABSENT: u32 = u32::MAX;

/// Predicted ends of paths, the earliest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ends {
    /// The heap: time and path.
    heap: Vec<(u64, u32)>,
    /// Where each path stands in the heap.
    position: Vec<u32>,
}

impl Ends {
    /// Makes room for one more path.
    pub(crate) fn grow(&mut self) {
        self.position.push(ABSENT);
    }

    /// The earliest end and its path.
    pub(crate) fn first(&self) -> Option<(u64, u32)> {
        self.heap.first().copied()
    }

    /// Sets or moves the end of a path.
    pub(crate) fn set(&mut self, path: u32, time: u64) {
        let at = self.position[path as usize];
        if at == ABSENT {
            self.heap.push((time, path));
            self.rise(self.heap.len() - 1);
        } else {
            let before = self.heap[at as usize].0;
            self.heap[at as usize].0 = time;
            if time < before {
                self.rise(at as usize);
            } else {
                self.sink(at as usize);
            }
        }
    }

    /// Takes a path out.
    pub(crate) fn remove(&mut self, path: u32) {
        let at = self.position[path as usize] as usize;
        if at == ABSENT as usize {
            return;
        }
        self.position[path as usize] = ABSENT;
        let last = self.heap.pop().expect("a queued path is in the heap");
        if at < self.heap.len() {
            let removed = self.heap[at];
            self.heap[at] = last;
            if last < removed {
                self.rise(at);
            } else {
                self.sink(at);
            }
        }
    }

    fn rise(&mut self, mut at: usize) {
        let entry = self.heap[at];
        while at > 0 {
            let parent = (at - 1) / 2;
            if self.heap[parent] <= entry {
                break;
            }
            self.place(at, self.heap[parent]);
            at = parent;
        }
        self.place(at, entry);
    }

    fn sink(&mut self, mut at: usize) {
        let entry = self.heap[at];
        loop {
            let mut child = 2 * at + 1;
            if self.heap.len() <= child {
                break;
            }
            if child + 1 < self.heap.len() && self.heap[child + 1] < self.heap[child] {
                child += 1;
            }
            if entry <= self.heap[child] {
                break;
            }
            self.place(at, self.heap[child]);
            at = child;
        }
        self.place(at, entry);
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "there are fewer entries than paths, which are counted in u32"
    )]
    fn place(&mut self, at: usize, entry: (u64, u32)) {
        self.heap[at] = entry;
        self.position[entry.1 as usize] = at as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_first_end_is_the_least_of_a_plain_list(
            ops in proptest::collection::vec((0u32..20, proptest::option::of(0u64..50)), 1..200)
        ) {
            let mut ends = Ends::default();
            let mut plain = [None; 20];
            (0..20).for_each(|_| ends.grow());
            for (path, time) in ops {
                plain[path as usize] = time;
                match time {
                    Some(time) => ends.set(path, time),
                    None => ends.remove(path),
                }
                let least = (0u32..20).filter_map(|p| Some((plain[p as usize]?, p))).min();
                prop_assert_eq!(ends.first(), least);
            }
        }
    }
}
