//! Rank correlation: does the prediction order plans as the measurement does?

/// Spearman's rank correlation, with mean ranks for ties; none below two rows or where all are
/// equal.
pub fn spearman(pairs: &[(f64, f64)]) -> Option<f64> {
    let first: Vec<f64> = pairs.iter().map(|pair| pair.0).collect();
    let second: Vec<f64> = pairs.iter().map(|pair| pair.1).collect();
    pearson(&ranks(&first), &ranks(&second))
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut at = 0;
    while at < order.len() {
        let same = order[at..]
            .iter()
            .take_while(|other| values[**other].total_cmp(&values[order[at]]).is_eq())
            .count();
        let mean = at as f64 + f64::midpoint(same as f64, 1.0);
        for place in &order[at..at + same] {
            ranks[*place] = mean;
        }
        at += same;
    }
    ranks
}

fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    let n = a.len() as f64;
    if a.len() < 2 {
        return None;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let mut sums = [0.0; 3];
    for (x, y) in a.iter().zip(b) {
        let (dx, dy) = (x - mean_a, y - mean_b);
        sums[0] += dx * dy;
        sums[1] += dx * dx;
        sums[2] += dy * dy;
    }
    let norm = (sums[1] * sums[2]).sqrt();
    (0.0 < norm).then(|| sums[0] / norm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_alone_counts() {
        let pairs = [(1.0, 10.0), (2.0, 20.0), (3.0, 1000.0)];
        assert!((spearman(&pairs).unwrap() - 1.0).abs() < 1e-12);
        let reversed = [(1.0, 3.0), (2.0, 2.0), (3.0, 1.0)];
        assert!((spearman(&reversed).unwrap() + 1.0).abs() < 1e-12);
        assert_eq!(spearman(&[(1.0, 1.0)]), None);
        assert_eq!(spearman(&[(1.0, 1.0), (1.0, 2.0)]), None);
    }

    #[test]
    fn ties_share_the_mean_of_their_ranks() {
        assert_eq!(ranks(&[5.0, 1.0, 5.0]), [2.5, 1.0, 2.5]);
    }
}
