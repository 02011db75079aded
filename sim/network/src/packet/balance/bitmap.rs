//! A counter of entropies that skips those with a penalty.

use rand_pcg::Pcg32;

use super::{Round, low};

/// What went wrong on the way of a packet, with its penalty as in `uet-htsim` 40ccb05.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::packet) enum Trouble {
    /// A queue marked it.
    Mark,
    /// It was trimmed, or its loss was reported.
    Loss,
    /// It was lost without a trace.
    Silence,
}

impl Trouble {
    const fn penalty(self) -> u8 {
        match self {
            Self::Mark => 1,
            Self::Loss => 4,
            Self::Silence => 15,
        }
    }
}

/// Penalties by entropy.
#[derive(Clone, Debug)]
pub(in crate::packet) struct Bitmap {
    round: Round,
    penalties: Vec<u8>,
}

impl Bitmap {
    /// The most that an entropy is punished.
    const MOST: u8 = 15;

    pub(in crate::packet) fn new(entropies: u32, rng: &mut Pcg32) -> Self {
        let round = Round::new(entropies, rng);
        Self {
            penalties: vec![0; round.n_entropies() as usize],
            round,
        }
    }

    /// The next entropy without a penalty. Those with one lose one of it and are passed over, at
    /// most a round of them.
    pub(in crate::packet) fn next(&mut self, rng: &mut Pcg32) -> u16 {
        let mut entropy = self.round.peek(rng);
        for _ in 0..self.round.n_entropies() {
            let penalty = &mut self.penalties[entropy as usize];
            if *penalty == 0 {
                break;
            }
            *penalty -= 1;
            self.round.step(rng);
            entropy = self.round.peek(rng);
        }
        self.round.step(rng);
        low(u64::from(entropy))
    }

    pub(in crate::packet) fn punish(&mut self, entropy: u16, trouble: Trouble) {
        if let Some(penalty) = self.penalties.get_mut(usize::from(entropy)) {
            *penalty = (*penalty + trouble.penalty()).min(Self::MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::balance::stream;

    #[test]
    fn an_entropy_is_skipped_as_often_as_its_penalty_says() {
        let mut rng = stream(1, 1);
        let mut bitmap = Bitmap::new(8, &mut rng);
        bitmap.punish(3, Trouble::Mark);
        bitmap.punish(5, Trouble::Loss);
        let mut used = [0; 8];
        for _ in 0..7 * 8 {
            used[usize::from(bitmap.next(&mut rng))] += 1;
        }
        let others: u32 = used.iter().sum::<u32>() - used[3] - used[5];
        assert!(used[5] < used[3], "{used:?}");
        assert_eq!(used[5] + used[3] + others, 56);
        bitmap.punish(3, Trouble::Silence);
        bitmap.punish(3, Trouble::Silence);
        assert_eq!(bitmap.penalties[3], Bitmap::MOST);
    }
}
