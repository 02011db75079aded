//! Layers of every virtual stage, small enough to be copied with a plan.

use std::fmt;

/// Runs of equal numbers that are kept at most: the best splits of equal layers have five (fewer at
/// both ends, two numbers and their border between), those of a model with two kinds of layers some more.
const MOST_RUNS: usize = 10;

/// Layers of every virtual stage, in the order of the layers, as runs of equal numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LayerCounts {
    /// How many layers, on how many stages in a row; unused runs have no stages.
    runs: [(u8, u8); MOST_RUNS],
}

impl LayerCounts {
    /// These numbers; `None` where they change more often than ten times, or one is larger than 255.
    pub fn new(counts: &[u32]) -> Option<Self> {
        let mut runs = [(0, 0); MOST_RUNS];
        let mut used = 0_usize;
        for count in counts {
            let count = u8::try_from(*count).ok()?;
            let last = used.checked_sub(1).map(|last| runs[last]);
            match last {
                Some((layers, stages)) if layers == count && stages < u8::MAX => {
                    runs[used - 1] = (layers, stages + 1);
                }
                _ => {
                    *runs.get_mut(used)? = (count, 1);
                    used += 1;
                }
            }
        }
        Some(Self { runs })
    }

    /// The numbers.
    pub fn iter(self) -> impl Iterator<Item = u32> {
        let runs = self.runs.into_iter();
        runs.flat_map(|(layers, stages)| (0..stages).map(move |_| u32::from(layers)))
    }
}

impl fmt::Display for LayerCounts {
    /// As scenarios write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Debug for LayerCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_as_they_were() {
        let mut counts = vec![3; 300];
        counts.extend([7, 2, 2]);
        let kept = LayerCounts::new(&counts).unwrap();
        assert_eq!(kept.iter().collect::<Vec<_>>(), counts);
        assert_eq!(
            LayerCounts::new(&[7, 8, 8]).unwrap().to_string(),
            "[7, 8, 8]"
        );
    }

    #[test]
    fn what_changes_too_often_is_refused() {
        let counts: Vec<u32> = (0..11).collect();
        assert_eq!(LayerCounts::new(&counts), None);
        assert_eq!(LayerCounts::new(&[256]), None);
    }
}
