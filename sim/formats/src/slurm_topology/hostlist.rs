//! Lists of hosts as Slurm writes them: `node[001-128,130],login1`.

use crate::import_error::{ImportError, shown};

const MAX_BRACKETS: usize = 8;
/// Signs of one name: those of a host name in the domain name system (RFC 1123).
const MAX_NAME: usize = 255;

/// Every name of a list, in its order.
///
/// * `line` — where the list stands, for errors.
/// * `limit` — how many names there may be.
///
/// # Errors
///
/// Where brackets or ranges are broken, or there are too many names.
///
/// ```
/// use formats::slurm_topology::expand;
///
/// let names = expand("n[08-10],r[0-1]c[2,5]", 1, 100).unwrap();
/// assert_eq!(names, ["n08", "n09", "n10", "r0c2", "r0c5", "r1c2", "r1c5"]);
/// ```
pub fn expand(list: &str, line: u64, limit: usize) -> Result<Vec<String>, ImportError> {
    let mut names = Vec::new();
    for part in parts(list, line)? {
        let begun = names.len();
        names.push(String::new());
        let outside = part
            .split('[')
            .map(|one| one.rsplit(']').next().map_or(0, str::len));
        if MAX_NAME < outside.sum() {
            return Err(broken(list, line));
        }
        let mut rest = part;
        for _ in 0..=MAX_BRACKETS {
            let Some((fixed, brackets)) = rest.split_once('[') else {
                break;
            };
            let Some((inside, behind)) = brackets.split_once(']') else {
                break;
            };
            let numbers = numbers(inside, list, line, limit)?;
            let room = limit.saturating_sub(begun);
            if room < (names.len() - begun).saturating_mul(numbers.len()) {
                let what = "names";
                return Err(ImportError::Many { line, what, limit });
            }
            let before = names.split_off(begun);
            for name in before {
                let all = numbers
                    .iter()
                    .map(|number| format!("{name}{fixed}{number}"));
                names.extend(all);
            }
            rest = behind;
        }
        if rest.contains(['[', ']']) {
            return Err(broken(list, line));
        }
        names[begun..]
            .iter_mut()
            .for_each(|name| name.push_str(rest));
        if names[begun..].iter().any(String::is_empty) {
            return Err(broken(list, line));
        }
        if limit < names.len() {
            let what = "names";
            return Err(ImportError::Many { line, what, limit });
        }
    }
    Ok(names)
}

/// The parts of a list between commas that are in no brackets.
fn parts(list: &str, line: u64) -> Result<Vec<&str>, ImportError> {
    let mut inside = false;
    for byte in list.bytes() {
        match (byte, inside) {
            (b'[', false) => inside = true,
            (b']', true) => inside = false,
            (b'[' | b']', _) => return Err(broken(list, line)),
            _ => {}
        }
    }
    if inside {
        return Err(broken(list, line));
    }
    let mut inside = false;
    let parts = list.split(|sign| {
        inside = (inside || sign == '[') && sign != ']';
        sign == ',' && !inside
    });
    Ok(parts.map(str::trim).collect())
}

/// The numbers of `001-128,130` with their zeros.
fn numbers(inside: &str, list: &str, line: u64, limit: usize) -> Result<Vec<String>, ImportError> {
    let mut all = Vec::new();
    for range in inside.split(',') {
        let (first, end) = range.split_once('-').unwrap_or((range, range));
        let is_number = |text: &str| {
            !text.is_empty() && text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_number(first) || !is_number(end) {
            return Err(broken(list, line));
        }
        let number = |text: &str| text.parse::<u64>().map_err(|_| broken(list, line));
        let (from, to) = (number(first)?, number(end)?);
        if to < from {
            return Err(broken(list, line));
        }
        let room = limit.saturating_sub(all.len()) as u64;
        if room <= to - from {
            let what = "names";
            return Err(ImportError::Many { line, what, limit });
        }
        let width = first.len();
        all.extend((from..=to).map(|number| format!("{number:0width$}")));
    }
    Ok(all)
}

fn broken(list: &str, line: u64) -> ImportError {
    let what = format!(
        "{:?} is no list of hosts such as node[001-128,130]",
        shown(list)
    );
    ImportError::Syntax { line, what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_list_is_refused() {
        for list in [
            "",
            "a,",
            "a[",
            "a]",
            "a[]",
            "a[1-]",
            "a[-1]",
            "a[2-1]",
            "a[x]",
            "a[[1]]",
            "a[1,]",
            "a[1-2-3]",
            "a[9999999999999999999]",
        ] {
            assert!(expand(list, 1, 100).is_err(), "{list}");
        }
    }

    #[test]
    fn names_have_a_limit_before_they_are_made() {
        let many = |list: &str| matches!(expand(list, 1, 1000), Err(ImportError::Many { .. }));
        assert!(many("a[0-999999999999999999]"));
        assert!(many("a[0-99]b[0-99]"));
        assert!(many(
            "a[0-99]b[0-99]c[0-99]d[0-99]e[0-99]f[0-99]g[0-99]h[0-99]"
        ));
        assert!(many("a[0-999],b[0-9]"));
        assert_eq!(expand("a[0-999]", 1, 1000).unwrap().len(), 1000);
    }
}
