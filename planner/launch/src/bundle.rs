//! What an export makes: files that stand side by side in one folder.

/// Files of one export, and what a reader must know of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bundle {
    /// The files, the one to start first.
    pub files: Vec<LaunchFile>,
    /// What the consumer does otherwise than the plan says, or cannot be told.
    pub warnings: Vec<String>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchFile {
    /// Its name in the folder: letters, digits, `_`, `-` and `.`.
    pub name: &'static str,
    /// Whether it is run or read.
    pub mode: Mode,
    /// Its text.
    pub text: String,
}

/// How a file is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A program reads it.
    Data,
    /// A script that is run by its name.
    Script,
}

impl LaunchFile {
    /// A script.
    pub(crate) const fn script(name: &'static str, text: String) -> Self {
        Self {
            name,
            mode: Mode::Script,
            text,
        }
    }

    /// A file that a program reads.
    pub(crate) const fn data(name: &'static str, text: String) -> Self {
        Self {
            name,
            mode: Mode::Data,
            text,
        }
    }

    /// Whether it is a script for the shell.
    pub const fn is_script(&self) -> bool {
        matches!(self.mode, Mode::Script)
    }
}
