//! What `gui` takes: it is handed to the program with the window, which says what is wrong with it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

pub(crate) const GUI_EXAMPLES: &str = "\
Examples:
  windtunnel gui
  windtunnel gui scenarios/cases/llama3-70b-dgx-h100
  windtunnel gui run.wtt
  windtunnel gui --screenshot out.png --view timeline scenarios/cases/llama3-70b-dgx-h100";

/// What the window gets.
#[derive(Args, Clone, Debug)]
pub(crate) struct GuiArgs {
    /// A scenario, a folder with scenario.toml, a timeline (.wtt), or measured runs (.csv)
    pub(crate) file: Option<PathBuf>,

    /// Write a picture to this file instead of opening a window; needs no display. Without a file it is of
    /// the start page
    #[arg(long, value_name = "PNG")]
    pub(crate) screenshot: Option<PathBuf>,

    /// What stands in front: scenario, timeline, topology, planner, memory, accuracy, what-if, details,
    /// ledger
    #[arg(long, value_name = "VIEW")]
    pub(crate) view: Option<String>,

    /// Colors: dark or light
    #[arg(long, value_name = "THEME")]
    pub(crate) theme: Option<String>,

    /// Width and height of the picture in points, such as 1280x800
    #[arg(long, value_name = "WxH")]
    pub(crate) size: Option<String>,

    /// Pixels per point of the picture
    #[arg(long, value_name = "N")]
    pub(crate) scale: Option<String>,

    /// Fill the picture with the view alone
    #[arg(long)]
    pub(crate) only: bool,
}

impl GuiArgs {
    /// The same as a command line.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let path = |path: &Option<PathBuf>| path.clone().map(PathBuf::into_os_string);
        let text = |text: &Option<String>| text.clone().map(OsString::from);
        let options = [
            ("--screenshot", path(&self.screenshot)),
            ("--view", text(&self.view)),
            ("--theme", text(&self.theme)),
            ("--size", text(&self.size)),
            ("--scale", text(&self.scale)),
        ];
        let given = options
            .into_iter()
            .filter_map(|(name, value)| Some([OsString::from(name), value?]));
        let mut arguments: Vec<OsString> = given.flatten().collect();
        arguments.extend(self.only.then(|| OsString::from("--only")));
        // A file's name may begin with a dash.
        if let Some(file) = path(&self.file) {
            arguments.extend([OsString::from("--"), file]);
        }
        arguments
    }
}
