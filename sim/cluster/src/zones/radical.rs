//! The numbers in the names of a cluster's hosts: `0-9,12,20-23`.

/// A list of ranges of numbers, in the order in which it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Radical {
    /// First number of each range, with how many numbers the ranges before it have.
    ranges: Vec<(u32, u32)>,
    len: u32,
}

/// Why a text is no radical.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum RadicalError {
    #[error("`{part}` is neither a number nor a range such as 0-9")]
    Part { part: String },
    #[error("the ranges list more than {limit} hosts")]
    TooLong { limit: u32 },
    #[error("no host is listed")]
    Empty,
}

impl Radical {
    /// Reads a list of numbers and ranges. A range whose end lies before its start is empty.
    ///
    /// # Errors
    ///
    /// A part that is neither, more than `limit` numbers, none at all.
    pub fn parse(text: &str, limit: u32) -> Result<Self, RadicalError> {
        let mut radical = Self::default();
        for part in text.split(',') {
            let number = |text: &str| {
                let number = text.trim().parse::<u32>().ok();
                let number = number.filter(|&number| i32::try_from(number).is_ok());
                number.ok_or_else(|| RadicalError::Part {
                    part: part.chars().take(40).collect(),
                })
            };
            let (first, last) = match part.split_once('-') {
                Some((first, last)) => (number(first)?, number(last)?),
                None => (number(part)?, number(part)?),
            };
            if last < first {
                continue;
            }
            radical.ranges.push((first, radical.len));
            let len = u64::from(radical.len) + u64::from(last - first) + 1;
            radical.len = u32::try_from(len)
                .ok()
                .filter(|&len| len <= limit)
                .ok_or(RadicalError::TooLong { limit })?;
        }
        if radical.len == 0 {
            return Err(RadicalError::Empty);
        }
        Ok(radical)
    }

    /// How many numbers there are.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number at a place.
    pub fn number(&self, place: u32) -> u32 {
        let range = self.ranges.partition_point(|&(_, before)| before <= place);
        let (first, before) = self.ranges[range - 1];
        first + (place - before)
    }

    /// The first place of a number.
    pub fn place(&self, number: u32) -> Option<u32> {
        let ends = self.ranges[1..].iter().map(|&(_, before)| before);
        let ends = ends.chain([self.len]);
        self.ranges
            .iter()
            .zip(ends)
            .find_map(|(&(first, before), end)| {
                let offset = number.checked_sub(first)?;
                (offset < end - before).then_some(before + offset)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_in_the_order_of_the_text() {
        let radical = Radical::parse("7,0-2, 10-11", 100).unwrap();
        let numbers: Vec<_> = (0..radical.len()).map(|at| radical.number(at)).collect();
        assert_eq!(numbers, [7, 0, 1, 2, 10, 11]);
        assert!((0..6).all(|at| radical.place(numbers[at as usize]) == Some(at)));
        assert_eq!(radical.place(3), None);
    }

    #[test]
    fn a_huge_range_takes_no_memory() {
        let error = Radical::parse("0-2000000000", 1000).unwrap_err();
        assert_eq!(error, RadicalError::TooLong { limit: 1000 });
        assert!(Radical::parse("0-4000000000", u32::MAX).is_err());
        assert_eq!(Radical::parse("5-1", 9), Err(RadicalError::Empty));
        assert!(Radical::parse("-5", 9).is_err());
        assert!(Radical::parse("1-2-3", 9).is_err());
    }
}
