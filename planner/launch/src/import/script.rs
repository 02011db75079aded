//! A shell script as words: quotes, variables that were assigned before, arrays. Nothing is run.

use std::collections::BTreeMap;

/// What a script says, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Script {
    /// Words of commands and arrays.
    pub(super) words: Vec<Word>,
    /// Variables with their last values.
    pub(super) variables: BTreeMap<String, String>,
    /// The options of `#SBATCH` lines.
    pub(super) sbatch: Vec<String>,
    /// Texts of here-documents by their tags.
    pub(super) documents: BTreeMap<String, String>,
}

/// A word, or the end of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// A word with its variables in place; those that are not known stay as `$NAME`.
    Text(String),
    /// Where a command or an array ends.
    End,
}

/// How deep defaults of variables may stand in each other.
const MAX_DEPTH: u32 = 8;

/// Reads a script.
pub(super) fn read(text: &str) -> Script {
    read_with(text, BTreeMap::new())
}

/// Reads a script that finds variables in its environment.
pub(super) fn read_with(text: &str, variables: BTreeMap<String, String>) -> Script {
    let mut reader = Reader {
        chars: text.chars().collect(),
        at: 0,
        parens: 0,
        script: Script {
            variables,
            ..Script::default()
        },
        heredocs: Vec::new(),
        depth: 0,
    };
    reader.run();
    reader.script
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    /// Open parentheses of arrays, inside which lines end no command.
    parens: u32,
    script: Script,
    /// Tags of here-documents that begin with the next line.
    heredocs: Vec<String>,
    /// How many scripts this one is a word of.
    depth: u32,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn run(&mut self) {
        while let Some(c) = self.peek(0) {
            match c {
                '\n' => self.line_end(),
                '\\' if self.peek(1) == Some('\n') => self.at += 2,
                c if c.is_whitespace() => self.at += 1,
                '#' => self.comment(),
                '<' if self.peek(1) == Some('<') && self.peek(2) == Some('<') => self.at += 3,
                '<' if self.peek(1) == Some('<') => self.heredoc(),
                ';' | '&' | '|' | '<' | '>' => self.operator(),
                '(' => {
                    self.parens += 1;
                    self.at += 1;
                }
                ')' => {
                    self.parens = self.parens.saturating_sub(1);
                    self.operator();
                }
                _ => self.word(),
            }
        }
        self.end();
    }

    fn operator(&mut self) {
        self.at += 1;
        self.end();
    }

    fn end(&mut self) {
        if self.script.words.last() != Some(&Word::End) {
            self.script.words.push(Word::End);
        }
    }

    fn line_end(&mut self) {
        self.at += 1;
        if self.parens == 0 {
            self.end();
        }
        for tag in std::mem::take(&mut self.heredocs) {
            let body = self.document(&tag);
            self.script.documents.insert(tag, body);
        }
    }

    /// The lines up to one that is the tag.
    fn document(&mut self, tag: &str) -> String {
        let mut body = String::new();
        while self.at < self.chars.len() {
            let line = self.rest_of_line();
            if line.trim_start_matches('\t') == tag {
                break;
            }
            body.push_str(&line);
            body.push('\n');
        }
        body
    }

    /// The text up to the end of the line, which is left behind.
    fn rest_of_line(&mut self) -> String {
        let start = self.at;
        while self.peek(0).is_some_and(|c| c != '\n') {
            self.at += 1;
        }
        let line = self.chars[start..self.at].iter().collect();
        self.at = (self.at + 1).min(self.chars.len());
        line
    }

    fn comment(&mut self) {
        let start = self.at;
        while self.peek(0).is_some_and(|c| c != '\n') {
            self.at += 1;
        }
        let text: String = self.chars[start..self.at].iter().collect();
        if let Some(options) = text.strip_prefix("#SBATCH") {
            let options = options.split(" #").next().unwrap_or_default();
            let words = shlex::split(options).unwrap_or_default();
            self.script.sbatch.extend(words);
        }
    }

    fn heredoc(&mut self) {
        self.at += 2;
        if self.peek(0) == Some('-') {
            self.at += 1;
        }
        while self.peek(0).is_some_and(|c| c == ' ' || c == '\t') {
            self.at += 1;
        }
        let tag = self.text();
        self.heredocs.push(tag);
    }

    /// A word, which may be an assignment.
    fn word(&mut self) {
        let text = self.text();
        if let Some((name, value)) = assignment(&text)
            && !(value.is_empty() && self.peek(0) == Some('('))
        {
            if is_options(value) {
                self.options(value);
                self.end();
            }
            let (name, value) = (name.to_owned(), value.to_owned());
            self.script.variables.insert(name, value);
            return;
        }
        if assignment(&text).is_some() {
            return;
        }
        if self.is_command() && text.contains(char::is_whitespace) && self.depth < MAX_DEPTH {
            self.nested_script(&text);
            return;
        }
        if is_options(&text) && text.contains(char::is_whitespace) {
            self.options(&text);
            return;
        }
        self.script.words.push(Word::Text(text));
    }

    /// Whether the word before says that a command follows: `bash -c '...'`.
    fn is_command(&self) -> bool {
        let Some(Word::Text(last)) = self.script.words.last() else {
            return false;
        };
        last.starts_with('-') && !last.starts_with("--") && last.ends_with('c')
    }

    /// The words of a script that is one word.
    fn nested_script(&mut self, text: &str) {
        let mut inner = Self {
            chars: text.chars().collect(),
            at: 0,
            parens: 0,
            script: Script {
                variables: self.script.variables.clone(),
                ..Script::default()
            },
            heredocs: Vec::new(),
            depth: self.depth + 1,
        };
        inner.run();
        self.script.words.extend(inner.script.words);
    }

    /// Options inside one quoted text.
    fn options(&mut self, text: &str) {
        let words = text.split_whitespace().filter(|word| *word != "\\");
        let words = words.map(|word| Word::Text(word.to_owned()));
        self.script.words.extend(words);
    }

    /// The text of a word, with quotes and variables resolved.
    fn text(&mut self) -> String {
        let (mut out, start) = (String::new(), self.at);
        while let Some(c) = self.peek(0) {
            match c {
                '\'' => self.single(&mut out),
                '"' => self.double(&mut out),
                '\\' if self.peek(1) == Some('\n') => break,
                '\\' => {
                    out.extend(self.peek(1));
                    self.at += 2;
                }
                '$' => self.dollar(&mut out, 0),
                '`' => self.skip_quoted('`', &mut out),
                c if c.is_whitespace() || matches!(c, ';' | '&' | '|' | '<' | '>' | '(' | ')') => {
                    break;
                }
                c => {
                    out.push(c);
                    self.at += 1;
                }
            }
        }
        // What makes no word must not stop the reader.
        if self.at == start {
            self.at += 1;
        }
        out
    }

    fn single(&mut self, out: &mut String) {
        self.at += 1;
        while let Some(c) = self.peek(0) {
            self.at += 1;
            if c == '\'' {
                return;
            }
            out.push(c);
        }
    }

    fn double(&mut self, out: &mut String) {
        self.at += 1;
        while let Some(c) = self.peek(0) {
            match c {
                '"' => {
                    self.at += 1;
                    return;
                }
                '$' => self.dollar(out, 0),
                '\\' => {
                    let next = self.peek(1);
                    if next != Some('\n') {
                        out.extend(next);
                    }
                    self.at += 2;
                }
                c => {
                    out.push(c);
                    self.at += 1;
                }
            }
        }
    }

    /// What is run cannot be known.
    fn skip_quoted(&mut self, mark: char, out: &mut String) {
        self.at += 1;
        while self.peek(0).is_some_and(|c| c != mark) {
            self.at += 1;
        }
        self.at += 1;
        out.push_str("$(...)");
    }

    /// A variable, a sum, or something that is run.
    fn dollar(&mut self, out: &mut String, depth: u32) {
        self.at += 1;
        match self.peek(0) {
            Some('(') if self.peek(1) == Some('(') => {
                let inner = self.balanced('(', ')');
                let inner = inner.trim_matches(['(', ')']);
                match product(inner, &self.script.variables) {
                    Some(value) => out.push_str(&value.to_string()),
                    None => out.push_str("$((...))"),
                }
            }
            Some('(') => {
                self.balanced('(', ')');
                out.push_str("$(...)");
            }
            Some('{') => {
                let inner = self.balanced('{', '}');
                let inner = inner.strip_prefix('{').unwrap_or(&inner);
                let inner = inner.strip_suffix('}').unwrap_or(inner);
                out.push_str(&self.parameter(inner, depth));
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let start = self.at;
                while self.peek(0).is_some_and(is_name) {
                    self.at += 1;
                }
                let name: String = self.chars[start..self.at].iter().collect();
                out.push_str(&self.value(&name));
            }
            // `$?`, `$1`, `$@` and their like.
            Some(c) if c.is_ascii_digit() || "?@*#!$-".contains(c) => {
                self.at += 1;
                out.push('$');
                out.push(c);
            }
            _ => out.push('$'),
        }
    }

    /// The text from an opening mark up to the one that closes it, both included.
    fn balanced(&mut self, open: char, close: char) -> String {
        let (start, mut depth) = (self.at, 0_u32);
        while let Some(c) = self.peek(0) {
            self.at += 1;
            if c == open {
                depth += 1;
            } else if c == close {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
        }
        self.chars[start..self.at].iter().collect()
    }

    fn value(&self, name: &str) -> String {
        let known = self.script.variables.get(name);
        known.cloned().unwrap_or_else(|| format!("${name}"))
    }

    /// `NAME`, `NAME:-default` and their like.
    fn parameter(&self, inner: &str, depth: u32) -> String {
        let end = inner.find(|c| !is_name(c)).unwrap_or(inner.len());
        let (name, rest) = inner.split_at(end);
        if let Some(known) = self.script.variables.get(name) {
            return known.clone();
        }
        let default = [":-", ":=", "-", "="]
            .into_iter()
            .find_map(|mark| rest.strip_prefix(mark));
        match default {
            Some(default) if depth < MAX_DEPTH => self.nested(default, depth),
            _ => format!("${name}"),
        }
    }

    /// A default, which may name further variables.
    fn nested(&self, text: &str, depth: u32) -> String {
        let mut inner = Self {
            chars: text.chars().filter(|c| *c != '"').collect(),
            at: 0,
            parens: 0,
            script: Script {
                variables: self.script.variables.clone(),
                ..Script::default()
            },
            heredocs: Vec::new(),
            depth: self.depth,
        };
        let mut out = String::new();
        while let Some(c) = inner.peek(0) {
            if c == '$' {
                inner.dollar(&mut out, depth + 1);
            } else {
                out.push(c);
                inner.at += 1;
            }
        }
        out
    }
}

const fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// A word as an assignment.
fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let name = name.strip_suffix('+').unwrap_or(name);
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (starts && name.chars().all(is_name)).then_some((name, value))
}

/// Whether a text is options rather than a value.
fn is_options(text: &str) -> bool {
    text.trim_start()
        .trim_start_matches("\\\n")
        .trim_start()
        .starts_with("--")
}

/// A product of numbers and variables; none where it is anything else.
fn product(text: &str, variables: &BTreeMap<String, String>) -> Option<u64> {
    let factor = |text: &str| {
        let name = text.trim().trim_start_matches('$').trim_matches(['{', '}']);
        let value = variables.get(name).map_or(name, String::as_str);
        value.parse::<u64>().ok()
    };
    let mut factors = text.split(['*', '/']).map(factor);
    let first = factors.next()??;
    let mut signs = text.chars().filter(|c| matches!(c, '*' | '/'));
    factors.try_fold(first, |value, factor| match signs.next()? {
        '*' => value.checked_mul(factor?),
        _ => value.checked_div(factor?),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<String> {
        let all = read(text).words.into_iter();
        let text = all.filter_map(|word| match word {
            Word::Text(text) => Some(text),
            Word::End => None,
        });
        text.collect()
    }

    #[test]
    fn variables_that_were_assigned_stand_in_their_places() {
        let text = "TP=8\nexport PP=${PP:-4}\nN=$((TP*PP))\nrun --tp $TP --pp \"${PP}\" --n $N\n";
        assert_eq!(
            words(text)[1..],
            ["run", "--tp", "8", "--pp", "4", "--n", "32"]
        );
    }

    #[test]
    fn arrays_strings_and_broken_lines_are_words() {
        let text =
            "A=(\n  --x 1 # one\n  --y\n)\nB=\"\n --z 2 \\\n --w\"\ngo \"${A[@]}\" \\\n  --v 3\n";
        assert_eq!(
            words(text),
            ["--x", "1", "--y", "--z", "2", "--w", "go", "$A", "--v", "3"]
        );
    }

    #[test]
    fn what_is_run_stays_unknown() {
        let text = "H=$(hostname)\ngo --h $H --t `date` --n $((A+1)) --a $ARG\n";
        assert_eq!(
            words(text),
            [
                "go", "--h", "$(...)", "--t", "$(...)", "--n", "$((...))", "--a", "$ARG"
            ]
        );
    }

    #[test]
    fn sbatch_lines_and_documents_are_kept_apart() {
        let text = "#SBATCH --nodes=4 # four\ncat <<'X' >f\n0 1\nX\nrun --a\n";
        let script = read(text);
        assert_eq!(script.sbatch, ["--nodes=4"]);
        assert_eq!(script.documents["X"], "0 1\n");
        assert_eq!(words(text), ["cat", "f", "run", "--a"]);
    }

    proptest! {
        #[test]
        fn every_text_is_read_to_its_end(text in "(?s)[a-z\"'\\\\$(){}`<#=\n -]{0,60}") {
            read(&text);
        }
    }
}
