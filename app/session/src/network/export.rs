//! Network workloads for others: what NCCL is told, what switches are told, and the same workload
//! for other simulators.

mod elsewhere;
mod nccl;
mod table;

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Write};
use std::path::Path;
use std::sync::Arc;

use format::Failure;
use traffic::FlowId;

use super::Traffic;
use crate::Opened;
use crate::save::{Existing, SaveError, check, save};

/// Who reads the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkConsumer {
    /// NCCL: its environment.
    Nccl,
    /// Whoever sets up ways: a CSV file with the way of every piece.
    FlowTable,
    /// `SimGrid`: a platform, and a list of flows.
    SimGrid,
    /// htsim: a fat tree, and a connection matrix.
    Htsim,
    /// Chakra's readers: a trace for each rank.
    Chakra,
}

impl NetworkConsumer {
    /// The name as `--to` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nccl => "nccl",
            Self::FlowTable => "flow-table",
            Self::SimGrid => "simgrid",
            Self::Htsim => "htsim",
            Self::Chakra => "chakra",
        }
    }
}

/// Files of one export, and what a reader must know of them.
#[derive(Debug, Default)]
pub struct NetworkBundle {
    /// The files.
    pub files: Vec<NetworkFile>,
    /// What the consumer does otherwise than the scenario says, or cannot be told.
    pub warnings: Vec<String>,
}

/// Writes the contents of a file; the same each time.
type Contents = Box<dyn Fn(&mut dyn Write) -> io::Result<()>>;

/// One file, written as it is made: it can be large.
pub struct NetworkFile {
    /// Its name in the folder: letters, digits, `_`, `-` and `.`.
    pub name: String,
    /// Whether people can read it.
    pub is_text: bool,
    contents: Contents,
}

impl fmt::Debug for NetworkFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetworkFile")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl NetworkFile {
    fn new(name: &str, contents: impl Fn(&mut dyn Write) -> io::Result<()> + 'static) -> Self {
        Self {
            name: name.to_owned(),
            is_text: true,
            contents: Box::new(contents),
        }
    }

    /// A file whose text is known.
    fn text(name: &str, text: impl Into<Vec<u8>>) -> Self {
        let text = text.into();
        Self::new(name, move |out| out.write_all(&text))
    }

    /// A file that only programs read.
    fn binary(name: &str, bytes: Vec<u8>) -> Self {
        Self {
            is_text: false,
            ..Self::text(name, bytes)
        }
    }

    /// Writes the contents.
    ///
    /// # Errors
    ///
    /// Where `out` cannot be written.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        (self.contents)(out)
    }
}

impl Opened {
    /// The files of a network workload for somebody else. What NCCL is told can be said of
    /// training, too.
    ///
    /// # Errors
    ///
    /// A scenario that is wrong, and what of it the consumer has no way to say.
    pub fn export_network(&self, to: NetworkConsumer) -> Result<NetworkBundle, Vec<Failure>> {
        if to == NetworkConsumer::Nccl && !self.is_traffic() {
            return Ok(nccl::bundle(self, None));
        }
        if !self.is_traffic() {
            let message = format!(
                "{} takes network workloads, and this is training",
                to.name()
            );
            let hint = "a network workload has [workload] in place of [model] and [training]";
            return Err(vec![self.refused(
                "workload",
                message,
                Some(hint.to_owned()),
            )]);
        }
        let traffic = Arc::new(self.traffic()?);
        let mut bundle = match to {
            NetworkConsumer::Nccl => nccl::bundle(self, Some(&traffic)),
            NetworkConsumer::FlowTable => table::bundle(self, &traffic)?,
            NetworkConsumer::SimGrid => elsewhere::simgrid(self, &traffic)?,
            NetworkConsumer::Htsim => elsewhere::htsim(self, &traffic)?,
            NetworkConsumer::Chakra => elsewhere::chakra(self, &traffic)?,
        };
        // NCCL hears what `[nccl]` says even where it changes nothing here.
        let heard = |text: &&String| to != NetworkConsumer::Nccl || !text.starts_with("`nccl.");
        let warnings = traffic.warnings.iter().filter(heard).cloned();
        bundle.warnings.splice(0..0, warnings);
        Ok(bundle)
    }
}

impl Traffic {
    /// What a stream is called.
    fn id(&self, stream: u32) -> String {
        match &self.ids {
            Some(ids) => ids.get(FlowId::new(stream)).into_owned(),
            None => stream.to_string(),
        }
    }
}

/// Writes the files of a bundle into a folder, which is made where it is missing: all of them or,
/// where another file of one of the names is there already, none. A file that is there with the
/// same contents stays.
///
/// # Errors
///
/// Where a file is there already and may not be replaced, or cannot be written.
pub fn save_network_bundle(
    folder: &Path,
    existing: Existing,
    bundle: &NetworkBundle,
) -> Result<(), SaveError> {
    let unwritable = |source| SaveError::Unwritable {
        path: folder.to_owned(),
        source,
    };
    std::fs::create_dir_all(folder).map_err(unwritable)?;
    let files = bundle.files.iter();
    let changed: Vec<&NetworkFile> = files
        .filter(|file| !is_there(&folder.join(&file.name), file))
        .collect();
    for file in &changed {
        check(&folder.join(&file.name), existing)?;
    }
    for file in changed {
        save(&folder.join(&file.name), existing, |out| {
            let mut out = BufWriter::with_capacity(1 << 20, out);
            file.write(&mut out)?;
            out.flush()
        })?;
    }
    Ok(())
}

/// Whether a file is there with the same contents.
fn is_there(path: &Path, file: &NetworkFile) -> bool {
    if !path.is_file() {
        return false;
    }
    let Ok(there) = File::open(path) else {
        return false;
    };
    let mut same = Same(BufReader::new(there));
    let is_same = file.write(&mut same).is_ok();
    is_same && matches!(same.0.read(&mut [0]), Ok(0))
}

/// Takes what a file holds, and nothing else.
struct Same(BufReader<File>);

impl Write for Same {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut there = vec![0; bytes.len()];
        self.0.read_exact(&mut there)?;
        if there == bytes {
            Ok(bytes.len())
        } else {
            Err(io::Error::other("it differs"))
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
