//! `--moe-layer-freq`: a number, or a list of Python such as `([0]*3+[1]*58)`.

/// The most layers of a pattern.
const MAX: usize = 100_000;

/// Which layers are mixtures; none where the text is no such list.
pub(super) fn read(text: &str, layers: usize) -> Option<Vec<bool>> {
    if let Ok(every) = text.trim().parse::<usize>() {
        let every = every.max(1);
        return Some((0..layers).map(|layer| layer % every == 0).collect());
    }
    let mut parser = Parser {
        chars: text.chars().filter(|c| !c.is_whitespace()).collect(),
        at: 0,
        depth: 0,
    };
    let list = parser.sum()?;
    (parser.at == parser.chars.len() && list.len() == layers).then_some(list)
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    depth: u32,
}

impl Parser {
    fn take(&mut self, c: char) -> bool {
        let found = self.chars.get(self.at) == Some(&c);
        self.at += usize::from(found);
        found
    }

    fn sum(&mut self) -> Option<Vec<bool>> {
        let mut all = self.product()?;
        while self.take('+') {
            all.extend(self.product()?);
            if MAX < all.len() {
                return None;
            }
        }
        Some(all)
    }

    fn product(&mut self) -> Option<Vec<bool>> {
        let list = self.item()?;
        if !self.take('*') {
            return Some(list);
        }
        let times = self.number()?;
        (list.len().checked_mul(times)? <= MAX).then(|| list.repeat(times))
    }

    fn item(&mut self) -> Option<Vec<bool>> {
        if self.take('(') {
            self.depth += 1;
            let inner = (self.depth < 32).then(|| self.sum()).flatten()?;
            self.depth -= 1;
            return self.take(')').then_some(inner);
        }
        if !self.take('[') {
            return None;
        }
        let mut list = vec![self.number()? != 0];
        while self.take(',') {
            list.push(self.number()? != 0);
        }
        self.take(']').then_some(list)
    }

    fn number(&mut self) -> Option<usize> {
        let start = self.at;
        while self.chars.get(self.at).is_some_and(char::is_ascii_digit) {
            self.at += 1;
        }
        let digits: String = self.chars[start..self.at].iter().collect();
        digits.parse().ok()
    }
}

/// A pattern as the layers at the start that are dense, and how many layers lie from one mixture
/// to the next; none where it is of another kind.
pub(super) fn as_fields(pattern: &[bool]) -> Option<(u64, u64)> {
    let first = pattern.iter().position(|moe| *moe)?;
    let fits = |every: usize| {
        let expected = |layer: usize| first <= layer && layer.is_multiple_of(every);
        pattern
            .iter()
            .enumerate()
            .all(|(layer, moe)| *moe == expected(layer))
    };
    let every = (1..=pattern.len()).find(|every| fits(*every))?;
    Some((first as u64, every as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_python_are_read() {
        assert_eq!(
            read("([0]*1+[1]*3)", 4),
            Some(vec![false, true, true, true])
        );
        assert_eq!(read("([1,0])*2", 4), Some(vec![true, false, true, false]));
        assert_eq!(read("2", 3), Some(vec![true, false, true]));
        assert_eq!(read("[1]*5", 4), None);
        assert_eq!(read("__import__('os')", 4), None);
        assert_eq!(read(&"(".repeat(1000), 4), None);
    }

    #[test]
    fn patterns_become_two_numbers() {
        assert_eq!(as_fields(&[false, false, true, true]), Some((2, 1)));
        assert_eq!(as_fields(&[true, false, true, false]), Some((0, 2)));
        assert_eq!(as_fields(&[true, true, false]), None);
        assert_eq!(as_fields(&[false, false]), None);
    }
}
