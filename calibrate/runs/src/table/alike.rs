//! Rows that are alike: found by an index, since tables have thousands.

use std::collections::BTreeMap;

use super::Record;

/// In what rows are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// One run, published twice: same source, model, GPU, batch and degrees.
    Run,
    /// One configuration of a section, on any number of GPUs.
    Configuration,
}

impl Likeness {
    /// The columns whose cells are equal.
    const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Run => &[
                "source_repo",
                "model",
                "gpu",
                "seq_len",
                "gbs",
                "precision",
                "tp",
                "pp",
                "cp",
                "dp",
            ],
            Self::Configuration => &[
                "source_repo",
                "source_path",
                "section",
                "model",
                "gpu",
                "precision",
                "seq_len",
                "mbs",
                "tp",
                "pp",
                "vp",
                "cp",
            ],
        }
    }

    /// What a row has in those columns.
    pub(super) fn key(self, record: &Record) -> Key {
        let cell = |column: &&str| record.text(column).map(str::to_owned);
        self.columns().iter().map(cell).collect()
    }

    /// The places of all rows by what they have in those columns.
    pub(super) fn index(self, records: &[Record]) -> Index {
        let mut index = Index::new();
        for (at, record) in records
            .iter()
            .enumerate()
            .filter(|(_, record)| record.is_whole())
        {
            index.entry(self.key(record)).or_default().push(at);
        }
        index
    }
}

type Key = Vec<Option<String>>;

/// The places of rows by what makes them alike.
pub(super) type Index = BTreeMap<Key, Vec<usize>>;
