//! `topology.conf`: lines of `Key=value`.

use std::collections::BTreeSet;

use super::{Block, Kind, MAX_NAMES, Switch, Topology, expand};
use crate::import_error::{ImportError, shown};

/// A line with what is continued on the next.
type Words<'t> = Vec<(&'t str, &'t str)>;

pub(super) fn read(text: &str) -> Result<Topology, ImportError> {
    let mut conf = Conf::default();
    for (line, text) in joined(text) {
        let words = words(line, &text)?;
        conf.line(line, &words)?;
    }
    conf.finish()
}

/// Lines without comments; one that ends in a backslash goes on.
fn joined(text: &str) -> Vec<(u64, String)> {
    let mut lines: Vec<(u64, String)> = Vec::new();
    let mut goes_on = false;
    for (number, line) in (1..).zip(text.lines()) {
        let said = line.split('#').next().unwrap_or("").trim();
        let (said, more) = match said.strip_suffix('\\') {
            Some(said) => (said, true),
            None => (said, false),
        };
        match lines.last_mut() {
            Some((_, before)) if goes_on => before.push_str(said),
            _ => lines.push((number, said.to_owned())),
        }
        goes_on = more;
    }
    lines.retain(|(_, line)| !line.trim().is_empty());
    lines
}

fn words(line: u64, text: &str) -> Result<Words<'_>, ImportError> {
    let pair = |word| {
        str::split_once(word, '=').ok_or_else(|| ImportError::Syntax {
            line,
            what: format!("{:?} is not Key=value", shown(word)),
        })
    };
    text.split_whitespace().map(pair).collect()
}

#[derive(Default)]
struct Conf {
    switches: Vec<Switch>,
    blocks: Vec<Block>,
    sizes: Vec<u32>,
    ignored: BTreeSet<String>,
    names: usize,
}

impl Conf {
    fn line(&mut self, line: u64, words: &Words<'_>) -> Result<(), ImportError> {
        let Some(&(first, name)) = words.first() else {
            return Ok(());
        };
        match first.to_ascii_lowercase().as_str() {
            "switchname" => self.switch(line, name, &words[1..]),
            "blockname" => self.block(line, name, &words[1..]),
            "blocksizes" => {
                let expected = "numbers of nodes, joined by commas";
                let number = |text: &str| text.trim().parse();
                let sizes: Result<_, _> = name.split(',').map(number).collect();
                self.sizes =
                    sizes.map_err(|_| ImportError::not(line, "BlockSizes", name, expected))?;
                self.rest(&words[1..]);
                Ok(())
            }
            _ => {
                self.rest(words);
                Ok(())
            }
        }
    }

    fn switch(&mut self, line: u64, name: &str, words: &[(&str, &str)]) -> Result<(), ImportError> {
        let mut switch = Switch {
            name: name.to_owned(),
            line,
            switches: Vec::new(),
            nodes: Vec::new(),
            link_speed: None,
        };
        for (key, value) in words {
            match key.to_ascii_lowercase().as_str() {
                "switches" => switch.switches = self.names(value, line)?,
                "nodes" => switch.nodes = self.names(value, line)?,
                "linkspeed" => switch.link_speed = Some((*value).to_owned()),
                _ => self.rest(&[(key, value)]),
            }
        }
        if switch.switches.is_empty() && switch.nodes.is_empty() {
            return Err(ImportError::Missing {
                line,
                element: format!("the switch {:?}", shown(name)),
                field: "Nodes` or `Switches".to_owned(),
            });
        }
        self.switches.push(switch);
        Ok(())
    }

    fn block(&mut self, line: u64, name: &str, words: &[(&str, &str)]) -> Result<(), ImportError> {
        let mut nodes = Vec::new();
        for (key, value) in words {
            match key.to_ascii_lowercase().as_str() {
                "nodes" => nodes = self.names(value, line)?,
                _ => self.rest(&[(key, value)]),
            }
        }
        if nodes.is_empty() {
            return Err(ImportError::Missing {
                line,
                element: format!("the block {:?}", shown(name)),
                field: "Nodes".to_owned(),
            });
        }
        self.blocks.push(Block {
            name: name.to_owned(),
            line,
            nodes,
        });
        Ok(())
    }

    fn names(&mut self, list: &str, line: u64) -> Result<Vec<String>, ImportError> {
        let names = expand(list, line, MAX_NAMES - self.names)?;
        self.names += names.len();
        Ok(names)
    }

    fn rest(&mut self, words: &[(&str, &str)]) {
        let keys = words.iter().map(|(key, _)| shown(key));
        self.ignored.extend(keys);
    }

    fn finish(self) -> Result<Topology, ImportError> {
        let kind = match (self.switches.is_empty(), self.blocks.is_empty()) {
            (false, true) => Kind::Tree(self.switches),
            (true, false) => Kind::Blocks {
                blocks: self.blocks,
                sizes: self.sizes,
            },
            (true, true) => {
                let what = "SwitchName or BlockName";
                return Err(ImportError::Without { what });
            }
            (false, false) => {
                let line = self.blocks[0].line;
                let what = "switches and blocks stand in one file".to_owned();
                return Err(ImportError::Contradiction { line, what });
            }
        };
        Ok(Topology {
            kind,
            ignored: self.ignored.into_iter().collect(),
        })
    }
}
