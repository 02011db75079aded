//! The examples that come with the binary.

use format::SCENARIO_FILE;

use crate::draft::Draft;
use crate::store::example_files;

/// A scenario that explains itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Its short name.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What it is about, in a paragraph on one line.
    pub about: String,
    text: &'static str,
}

impl Example {
    /// The scenario, for editing. Files that it names come with it.
    pub fn draft(&self) -> Draft {
        Draft::from_example(self.name, self.text)
    }
}

impl Draft {
    /// The examples that come with the binary, in the order of their names. Nothing is written to
    /// open or to run one.
    pub fn examples() -> Vec<Example> {
        let scenarios = example_files().filter_map(|(path, text)| {
            let (name, file) = path.split_once('/')?;
            (file == SCENARIO_FILE).then_some((name, text))
        });
        let example = |(name, text): (&'static str, &'static str)| {
            let readme = format!("{name}/README.md");
            let read = example_files().find(|(path, _)| *path == readme);
            let (title, about) = told(read.map_or("", |(_, text)| text));
            Example {
                name,
                title: if title.is_empty() { name } else { title },
                about,
                text,
            }
        };
        scenarios.map(example).collect()
    }

    /// The example of a name.
    pub fn example(name: &str) -> Option<Self> {
        let found = Self::examples().into_iter().find(|one| one.name == name);
        found.map(|one| one.draft())
    }
}

/// The title and the first paragraph of a page.
fn told(page: &'static str) -> (&'static str, String) {
    let mut blocks = page.split("\n\n").map(str::trim);
    let title = blocks.next().unwrap_or_default();
    let about = blocks.next().unwrap_or_default();
    let about = about.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    (title.trim_start_matches('#').trim(), about)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_has_a_title_and_a_paragraph_and_opens_without_any_file() {
        let examples = Draft::examples();
        assert!(10 < examples.len());
        for example in examples {
            assert_ne!(example.title, example.name);
            assert!(
                example.about.ends_with(['.', '?', ':', ')']),
                "{}",
                example.about
            );
            let opened = example.draft().open().unwrap();
            if opened.is_traffic() {
                opened.traffic().unwrap();
            } else {
                opened.ready().unwrap();
            }
        }
    }
}
