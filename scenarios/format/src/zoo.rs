//! The zoo: hardware, models, profiles and frameworks that come with the binary.

use std::sync::Arc;

use crate::error::Problem;
use crate::source::Source;

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/zoo.rs"));
}

/// A shelf of the zoo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shelf {
    /// Data sheets of GPUs.
    Gpus,
    /// Kinds of nodes.
    Nodes,
    /// Fabrics between nodes.
    Fabrics,
    /// Whole clusters.
    Clusters,
    /// Models as `config.json`.
    Models,
    /// Profiles of GPUs and collectives.
    Profiles,
    /// Training frameworks.
    Frameworks,
}

impl Shelf {
    /// Every shelf.
    pub const ALL: [Self; 7] = [
        Self::Gpus,
        Self::Nodes,
        Self::Fabrics,
        Self::Clusters,
        Self::Models,
        Self::Profiles,
        Self::Frameworks,
    ];

    /// What one thing on the shelf is called.
    pub const fn what(self) -> &'static str {
        match self {
            Self::Gpus => "GPU",
            Self::Nodes => "node",
            Self::Fabrics => "fabric",
            Self::Clusters => "cluster",
            Self::Models => "model",
            Self::Profiles => "profile",
            Self::Frameworks => "framework",
        }
    }

    /// The folder that messages name.
    const fn folder(self) -> &'static str {
        match self {
            Self::Gpus => "zoo/gpus",
            Self::Nodes => "zoo/nodes",
            Self::Fabrics => "zoo/fabrics",
            Self::Clusters => "zoo/clusters",
            Self::Models => "zoo/models",
            Self::Profiles => "zoo/profiles",
            Self::Frameworks => "zoo/frameworks",
        }
    }

    const fn ending(self) -> &'static str {
        match self {
            Self::Models => "json",
            _ => "toml",
        }
    }

    const fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Gpus => embedded::GPUS,
            Self::Nodes => embedded::NODES,
            Self::Fabrics => embedded::FABRICS,
            Self::Clusters => embedded::CLUSTERS,
            Self::Models => embedded::MODELS,
            Self::Profiles => embedded::PROFILES,
            Self::Frameworks => embedded::FRAMEWORKS,
        }
    }

    /// The names on the shelf, sorted.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.files().iter().map(|(name, _)| *name)
    }

    /// The files on the shelf with their names, sorted.
    pub(crate) fn texts(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.files().iter().copied()
    }

    /// The file of that name, or of that alias, in any case of letters.
    ///
    /// # Errors
    ///
    /// [`Problem::UnknownName`] with the names that there are.
    pub fn open(self, name: &str) -> Result<Arc<Source>, Problem> {
        let files = self.files();
        let named = files
            .iter()
            .find(|(stem, _)| stem.eq_ignore_ascii_case(name));
        let found = named.or_else(|| files.iter().find(|(_, text)| has_alias(text, name)));
        let Some((stem, text)) = found else {
            return Err(Problem::UnknownName {
                what: self.what(),
                name: name.to_owned(),
                known: self.names().map(str::to_owned).collect(),
            });
        };
        let (folder, ending) = (self.folder(), self.ending());
        Ok(Source::new(format!("{folder}/{stem}.{ending}"), *text))
    }
}

/// Whether the file has the alias in its line `aliases = ["…"]`.
fn has_alias(text: &str, name: &str) -> bool {
    let line = text.lines().find_map(|line| line.strip_prefix("aliases"));
    let aliases = line.unwrap_or_default().split('"').skip(1).step_by(2);
    aliases
        .into_iter()
        .any(|alias| alias.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_aliases_open_the_same_file() {
        let by_name = Shelf::Gpus.open("h100-sxm").unwrap();
        assert_eq!(by_name.name, "zoo/gpus/h100-sxm.toml");
        assert_eq!(Shelf::Gpus.open("H100-SXM").unwrap(), by_name);
    }

    #[test]
    fn an_unknown_name_gets_the_nearest() {
        let problem = Shelf::Gpus.open("h100-sxn").unwrap_err();
        assert_eq!(problem.to_string(), "no GPU is named \"h100-sxn\"");
        assert!(
            problem
                .hint()
                .unwrap()
                .starts_with("did you mean \"h100-sxm\"?")
        );
    }
}
