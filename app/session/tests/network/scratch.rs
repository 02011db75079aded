//! A folder with a scenario.

use std::fs;
use std::path::PathBuf;

use session::{Assignment, Opened, Request, open};

/// Two leaves with four hosts each, and two spines.
pub(crate) const SCENARIO: &str = "\
schema = 1
[workload]
collective = \"permutation\"
bytes = \"1 MiB\"
[cluster]
nodes = [{ kind = \"host-100g\", count = 8 }]
fabric = { name = \"two\", kind = \"leaf-spine\", nodes_per_leaf = 4, spines = 2, oversubscription = 2, link_latency = \"1 us\", switch_latency = \"0 ns\", source = \"a test\" }
";

/// A folder of its own with a scenario, which goes with the test.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("windtunnel-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("scenario.toml"), SCENARIO).unwrap();
        Self(path)
    }

    pub(crate) fn request(&self, set: &[&str]) -> Request {
        Request {
            scenario: self.0.clone(),
            above: set
                .iter()
                .map(|text| Assignment::new("--set", *text))
                .collect(),
            ..Request::default()
        }
    }

    pub(crate) fn open(&self, set: &[&str]) -> Opened {
        open(&self.request(set)).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
