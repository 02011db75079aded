//! What the command line says.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::layout::Pane;

/// The window: explore what the simulator and the planner found.
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "windtunnel gui", version, about)]
pub struct Options {
    /// A scenario, a folder with `scenario.toml`, a timeline (.wtt), or measured runs (.csv)
    pub file: Option<PathBuf>,
    /// Write a picture to this file instead of opening a window; needs no display. Without a file it is of
    /// the start page
    #[arg(long, value_name = "PNG")]
    pub screenshot: Option<PathBuf>,
    /// What the picture shows, or what stands in front
    #[arg(long, value_enum)]
    pub view: Option<Pane>,
    /// Colors; pictures are light unless told otherwise
    #[arg(long, value_enum)]
    pub theme: Option<ShownTheme>,
    /// Width and height of the picture in points
    #[arg(long, value_name = "WxH", default_value = "1280x800", value_parser = size)]
    pub size: Size,
    /// Pixels per point of the picture
    #[arg(long, default_value_t = 1.0, value_parser = scale)]
    pub scale: f32,
    /// Fill the picture with the view alone
    #[arg(long)]
    pub only: bool,
}

/// A width and a height in points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size(pub f32, pub f32);

impl Default for Size {
    fn default() -> Self {
        Self(1280.0, 800.0)
    }
}

/// The two themes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ShownTheme {
    Dark,
    Light,
}

impl From<ShownTheme> for egui::Theme {
    fn from(theme: ShownTheme) -> Self {
        match theme {
            ShownTheme::Dark => Self::Dark,
            ShownTheme::Light => Self::Light,
        }
    }
}

fn size(text: &str) -> Result<Size, String> {
    let parts = text.split_once(['x', 'X', '×']);
    let read = |part: &str| {
        let value: f32 = part.trim().parse().ok()?;
        (100.0..=8_192.0).contains(&value).then_some(value)
    };
    let both = parts.and_then(|(width, height)| Some(Size(read(width)?, read(height)?)));
    both.ok_or_else(|| {
        format!(
            "{text} is no size: give width x height in points from 100 to 8192, such as 1280x800"
        )
    })
}

fn scale(text: &str) -> Result<f32, String> {
    let value: Option<f32> = text.parse().ok();
    value
        .filter(|value| (0.5..=4.0).contains(value))
        .ok_or_else(|| format!("{text} is no scale: give a number from 0.5 to 4"))
}
