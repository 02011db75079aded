//! `topology.yaml`: a list of topologies, of which the default one is read.

use std::collections::BTreeSet;

use super::{Block, Kind, MAX_NAMES, Switch, Topology, expand};
use crate::import_error::ImportError;
use crate::yaml::{self, Value};

pub(super) fn read(text: &str) -> Result<Topology, ImportError> {
    let document = yaml::parse(text)?;
    let all = document.list("topologies")?;
    let is_default = |one: &&Value| {
        let told = one.get("cluster_default");
        told.is_some_and(|told| {
            told.text("cluster_default")
                .is_ok_and(|text| text == "true")
        })
    };
    let Some(chosen) = all.iter().find(is_default).or(all.first()) else {
        return Err(ImportError::Without { what: "topology" });
    };
    let mut ignored: BTreeSet<String> = BTreeSet::new();
    if 1 < all.len() {
        ignored.insert("topologies other than the default".to_owned());
    }
    let known = ["topology", "cluster_default", "tree", "block", "flat"];
    let others = chosen.entries().iter().map(|(key, _)| key);
    ignored.extend(others.filter(|key| !known.contains(&key.as_str())).cloned());
    let mut names = 0;
    let kind = if let Some(tree) = chosen.get("tree") {
        Kind::Tree(each(tree, "switches", |one| switch(one, &mut names))?)
    } else if let Some(block) = chosen.get("block") {
        let sizes = block.get("block_sizes");
        let sizes = sizes.map_or(Ok(&[][..]), |sizes| sizes.list("block_sizes"))?;
        Kind::Blocks {
            blocks: each(block, "blocks", |one| self::block(one, &mut names))?,
            sizes: sizes
                .iter()
                .map(|size| size.number("block_sizes", "a number of nodes"))
                .collect::<Result<_, _>>()?,
        }
    } else if chosen.get("flat").is_some() {
        Kind::Flat
    } else {
        let what = "`tree`, `block` or `flat`";
        return Err(ImportError::Without { what });
    };
    Ok(Topology {
        kind,
        ignored: ignored.into_iter().collect(),
    })
}

fn each<T>(
    of: &Value,
    field: &str,
    read: impl FnMut(&Value) -> Result<T, ImportError>,
) -> Result<Vec<T>, ImportError> {
    let list = required(of, field)?.list(field)?;
    if list.is_empty() {
        return Err(missing(of, field));
    }
    list.iter().map(read).collect()
}

fn switch(one: &Value, names: &mut usize) -> Result<Switch, ImportError> {
    let switch = Switch {
        name: required(one, "switch")?.text("switch")?.to_owned(),
        line: one.line,
        switches: list(one, "children", names)?,
        nodes: list(one, "nodes", names)?,
        link_speed: None,
    };
    if switch.switches.is_empty() && switch.nodes.is_empty() {
        return Err(missing(one, "nodes"));
    }
    Ok(switch)
}

fn block(one: &Value, names: &mut usize) -> Result<Block, ImportError> {
    required(one, "nodes")?;
    Ok(Block {
        name: required(one, "block")?.text("block")?.to_owned(),
        line: one.line,
        nodes: list(one, "nodes", names)?,
    })
}

fn list(one: &Value, field: &str, names: &mut usize) -> Result<Vec<String>, ImportError> {
    let Some(value) = one.get(field) else {
        return Ok(Vec::new());
    };
    let found = expand(value.text(field)?, value.line, MAX_NAMES - *names)?;
    *names += found.len();
    Ok(found)
}

fn required<'v>(of: &'v Value, field: &str) -> Result<&'v Value, ImportError> {
    of.get(field).ok_or_else(|| missing(of, field))
}

fn missing(of: &Value, field: &str) -> ImportError {
    ImportError::Missing {
        line: of.line,
        element: "the entry".to_owned(),
        field: field.to_owned(),
    }
}
