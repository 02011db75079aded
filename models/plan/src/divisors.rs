//! What divides a number: the degrees that tile it.

/// Divisors of `n` up to `most`, ascending; none of 0.
///
/// Up to min(`most`, √`n`) numbers are tried.
pub fn divisors(n: u64, most: u64) -> Vec<u64> {
    let small = (1..=n.isqrt().min(most)).filter(|d| n.is_multiple_of(*d));
    let mut all: Vec<u64> = small.collect();
    for at in (0..all.len()).rev() {
        let large = n / all[at];
        if all[at] < large && large <= most {
            all.push(large);
        }
    }
    all
}

/// The greatest number that divides both; the other one where one is 0.
pub const fn common_divisor(a: u64, b: u64) -> u64 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divisors_ascend_and_are_all_there() {
        for n in 0..300_u64 {
            for most in [0, 1, 7, 12, 16, n, 1000] {
                let tried = (1..=n.min(most)).filter(|d| n.is_multiple_of(*d));
                assert_eq!(divisors(n, most), tried.collect::<Vec<_>>(), "{n}, {most}");
            }
        }
        assert_eq!(divisors(u64::MAX, 5), [1, 3, 5]);
    }

    #[test]
    fn the_common_divisor_is_the_greatest() {
        assert_eq!(common_divisor(12, 18), 6);
        assert_eq!(common_divisor(7, 8), 1);
        assert_eq!([common_divisor(0, 8), common_divisor(8, 0)], [8, 8]);
    }
}
