//! From what a person names to a checked scenario.

use std::io::{Read as _, stdin};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use format::tree::{Node, Table};
use format::{
    Assignment, Disk, Failure, Files, Layers, Library, Problem, SCENARIO_FILE, SCENARIO_LIMIT,
    ScenarioSpec, Source, from_environment, read_limited, read_whole_scenario, scenario_fields,
};

use crate::store::Store;

/// The name of standard input on the command line.
pub const STANDARD_INPUT: &str = "-";

/// What a scenario is made from.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// A file, a folder with `scenario.toml`, or `-` for standard input.
    pub scenario: PathBuf,
    /// Values over the scenario, each over those before it.
    pub above: Vec<Assignment>,
    /// Environment variables of ours, with their values.
    pub environment: Vec<(String, String)>,
    /// The file of the user's settings, if there is one.
    pub settings: Option<PathBuf>,
}

/// A scenario that was read: its sections are well formed, its names not looked up yet.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What reports call it.
    pub name: String,
    /// The document, with the origin of every value.
    pub document: Table,
    /// The scenario.
    pub spec: ScenarioSpec,
    /// The folder from which it names files.
    pub base: PathBuf,
    /// Where that folder is.
    pub store: Store,
    /// What is suspicious but no error.
    pub warnings: Vec<String>,
}

/// Reads a scenario with everything that is laid over it.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn open(request: &Request) -> Result<Opened, Vec<Failure>> {
    let (name, scenario, base) = read_request(request)?;
    open_source(&name, scenario, (Store::Disk, base), request)
}

/// Reads the file of a scenario: what reports call it, its text, and the folder from which it
/// names others.
pub(crate) fn read_request(
    request: &Request,
) -> Result<(String, Arc<Source>, PathBuf), Vec<Failure>> {
    let path = file_of(&request.scenario).map_err(|problem| vec![Failure::of_file(problem)])?;
    refuse_others(&path).map_err(|problem| vec![Failure::of_file(problem)])?;
    let scenario = read(&path).map_err(|problem| vec![Failure::of_file(problem)])?;
    Ok((name_of(&path), scenario, base_of(&path)))
}

/// Makes a scenario of a network workload from what is laid over it alone; files are named from the
/// present folder.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn open_workload(request: &Request) -> Result<Opened, Vec<Failure>> {
    let (name, scenario, base) = blank_workload();
    open_source(&name, scenario, (Store::Disk, base), request)
}

/// A network workload about which nothing is said yet, as [`read_request`] gives others.
pub(crate) fn blank_workload() -> (String, Arc<Source>, PathBuf) {
    let scenario = Source::new("<options>", "schema = 1\n[workload]\n".to_owned());
    ("network".to_owned(), scenario, PathBuf::new())
}

/// The folder from which a file names others.
pub(crate) fn base_of(path: &Path) -> PathBuf {
    path.parent().map(Path::to_owned).unwrap_or_default()
}

/// Reads a scenario whose text is here already, with everything that is laid over it.
///
/// * `name` — what reports call it.
/// * `base` — the folder from which it names files, and where that is.
///
/// # Errors
///
/// Everything that is wrong with it.
pub(crate) fn open_source(
    name: &str,
    scenario: Arc<Source>,
    (store, base): (Store, PathBuf),
    request: &Request,
) -> Result<Opened, Vec<Failure>> {
    let user = match request.settings.as_deref().filter(|path| path.exists()) {
        Some(settings) => Some(
            Disk.read(settings, SCENARIO_LIMIT)
                .map_err(|problem| vec![Failure::of_file(problem)])?,
        ),
        None => None,
    };
    let (mut above, warnings) = from_environment(&request.environment, &scenario_fields());
    above.extend(request.above.iter().cloned());
    let start = format::Place::new(&scenario, 0..0);
    let layers = Layers {
        user,
        scenario,
        above,
    };
    let document = layers.join()?;
    let library = Library {
        files: &store,
        base: &base,
    };
    let spec = read_whole_scenario(&document, &library).map_err(|mut failures| {
        // What a file without anything lacks has no place of its own.
        for failure in &mut failures {
            failure.place.get_or_insert_with(|| start.clone());
        }
        failures
    })?;
    Ok(Opened {
        name: name.to_owned(),
        spec,
        base,
        store,
        document,
        warnings,
    })
}

impl Opened {
    /// Where the scenario's names are looked up.
    pub(crate) fn library(&self) -> Library<'_> {
        Library {
            files: &self.store,
            base: &self.base,
        }
    }

    /// The same scenario with values laid over it, as `--set` does.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the values, and with the scenario that they make.
    pub fn with(&self, above: &[Assignment]) -> Result<Self, Vec<Failure>> {
        let mut document = self.document.clone();
        format::lay_over(&mut document, above)?;
        let spec = read_whole_scenario(&document, &self.library())?;
        Ok(Self {
            document,
            spec,
            ..self.clone()
        })
    }
}

/// The file behind a path: itself, or `scenario.toml` of a folder.
pub(crate) fn file_of(path: &Path) -> Result<PathBuf, Problem> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let file = path.join(SCENARIO_FILE);
    if file.is_file() {
        return Ok(file);
    }
    Err(Problem::NoScenario {
        path: path.display().to_string(),
        file: SCENARIO_FILE,
    })
}

/// Refuses files that are no scenario but something else that we know, before their bytes give
/// an error a line.
pub(crate) fn refuse_others(path: &Path) -> Result<(), Problem> {
    let what = match FileKind::of(path) {
        FileKind::Timeline => "a timeline",
        FileKind::Gzip => "gzip, perhaps an exported timeline",
        FileKind::Json => "JSON, perhaps a prediction or an exported timeline",
        FileKind::Other => return Ok(()),
    };
    Err(Problem::Refused {
        message: format!("{} is {what}, not a scenario", path.display()),
        hint: Some(
            "a scenario is a TOML file or a folder with scenario.toml; `windtunnel explain` also reads timelines that `simulate --trace FILE.wtt` writes"
                .to_owned(),
        ),
    })
}

pub(crate) fn read(path: &Path) -> Result<Arc<Source>, Problem> {
    if path == Path::new(STANDARD_INPUT) {
        return read_limited(stdin().lock(), "<stdin>", SCENARIO_LIMIT);
    }
    Disk.read(path, SCENARIO_LIMIT)
}

/// What a file is, by how it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A timeline in our own form.
    Timeline,
    /// Something compressed.
    Gzip,
    /// JSON.
    Json,
    /// Anything else, among which are scenarios, and what cannot be read.
    Other,
}

impl FileKind {
    /// What a regular file is; streams are not touched, since they can be read only once.
    pub fn of(path: &Path) -> Self {
        let mut start = Vec::new();
        if path.is_file()
            && let Ok(file) = std::fs::File::open(path)
        {
            // What cannot be read is told when it is read whole.
            drop(file.take(64).read_to_end(&mut start));
        }
        let text = start.trim_ascii_start();
        if start.starts_with(&formats::wtt::MAGIC) {
            Self::Timeline
        } else if start.starts_with(&[0x1f, 0x8b]) {
            Self::Gzip
        } else if text.starts_with(b"{") || text.starts_with(b"[{") {
            Self::Json
        } else {
            Self::Other
        }
    }
}

/// The name of the folder of a `scenario.toml`, else of the file.
pub(crate) fn name_of(path: &Path) -> String {
    let stem = |path: &Path| {
        path.file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
    };
    let is_plain = path.file_name().is_some_and(|name| name == SCENARIO_FILE);
    let folder = path.parent().filter(|_| is_plain).and_then(Path::file_name);
    let name = folder.map(|name| name.to_string_lossy().into_owned());
    name.or_else(|| stem(path))
        .filter(|name| name != STANDARD_INPUT)
        .unwrap_or_else(|| "scenario".to_owned())
}

/// Where a value is from, for people: `scenario.toml:14`, `--set`, an environment variable.
pub(crate) fn origin(node: &Node) -> String {
    let source = node.place.source();
    let path = Path::new(&source.name);
    let is_file = source.text.contains('\n') || path.extension().is_some();
    match path.file_name().filter(|_| is_file) {
        Some(name) => format!("{}:{}", name.to_string_lossy(), node.place.line_column().0),
        None => source.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_called_like_its_folder_or_file() {
        assert_eq!(name_of(Path::new("cases/llama/scenario.toml")), "llama");
        assert_eq!(name_of(Path::new("cases/llama.toml")), "llama");
        assert_eq!(name_of(Path::new("scenario.toml")), "scenario");
        assert_eq!(name_of(Path::new("-")), "scenario");
    }

    /// The messages for a text in a file of that name.
    fn refused(name: &str, bytes: &[u8]) -> String {
        let file = std::env::temp_dir().join(format!("{}-{name}", std::process::id()));
        std::fs::write(&file, bytes).unwrap();
        let request = Request {
            scenario: file.clone(),
            ..Request::default()
        };
        let messages: Vec<String> = open(&request)
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect();
        std::fs::remove_file(file).unwrap();
        messages.join("\n")
    }

    #[test]
    fn files_that_are_something_else_say_what_they_are() {
        let gzip = refused("kind.json.gz", &[0x1f, 0x8b, 8, 0]);
        assert!(
            gzip.ends_with("kind.json.gz is gzip, perhaps an exported timeline, not a scenario")
        );
        let json = refused("kind.json", b" {\"schema\": 1}");
        assert!(json.contains("is JSON, perhaps a prediction"), "{json}");
        let wtt = refused("kind.trace", &formats::wtt::MAGIC);
        assert!(wtt.ends_with("is a timeline, not a scenario"), "{wtt}");
    }

    #[test]
    fn a_scenario_of_a_later_schema_is_refused_for_that_alone() {
        let newer = refused("newer.toml", b"schema = 2\n[plan]\ntp = 0\n[hall]\nx = 1\n");
        assert_eq!(
            newer,
            "scenario has schema 2, this windtunnel reads up to 1"
        );
    }

    #[test]
    fn a_folder_without_a_scenario_says_so() {
        let request = Request {
            scenario: PathBuf::from(env!("CARGO_MANIFEST_DIR")),
            ..Request::default()
        };
        let failures = open(&request).unwrap_err();
        assert!(
            failures[0]
                .to_string()
                .ends_with("is a folder without scenario.toml")
        );
    }
}
