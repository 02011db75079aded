//! Names and numbers that every reader of LP and MPS files accepts.

/// Characters of a name that are kept; readers allow 255.
const LONGEST: usize = 60;

/// A name made of letters, digits and underscores, that starts with a letter other than `e`
/// (which some readers take for an exponent), is no keyword, and ends in the index, so that no two
/// are equal.
pub(crate) fn escape(name: &str, index: usize) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let text: String = name.chars().take(LONGEST).map(plain).collect();
    let good = |c: char| c.is_ascii_alphabetic() && !c.eq_ignore_ascii_case(&'e');
    let prefix = if text.starts_with(good) { "" } else { "x_" };
    format!("{prefix}{text}_{index}")
}

/// A name of the whole program, without an index.
pub(crate) fn title(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let text: String = name.chars().take(LONGEST).map(plain).collect();
    if text.is_empty() {
        "program".to_owned()
    } else {
        text
    }
}

/// The shortest text that reads back as the same number, with an exponent where digits would be
/// many.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || (1e-5..1e15).contains(&size) {
        format!("{value}")
    } else {
        format!("{value:e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_letters_digits_and_underscores() {
        assert_eq!(escape("layer 3 on stage 2", 7), "layer_3_on_stage_2_7");
        assert_eq!(escape("3rd; drop\ntable", 0), "x_3rd__drop_table_0");
        assert_eq!(escape("e12", 1), "x_e12_1");
        assert_eq!(escape("", 4), "x__4");
    }

    #[test]
    fn equal_names_stay_apart() {
        assert_ne!(escape("a b", 1), escape("a_b", 2));
        assert_ne!(escape("free", 1), "free");
    }

    #[test]
    fn numbers_read_back_as_they_were() {
        for value in [0.0, -1.5, 1e300, 1e-300, 0.1, 80e9, f64::MIN_POSITIVE] {
            assert_eq!(
                number(value).parse::<f64>().unwrap().to_bits(),
                value.to_bits()
            );
        }
        assert!(number(1e300).len() < 8);
    }
}
