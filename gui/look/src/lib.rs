//! Which color, size and word stands for what in the window: the one place that knows.
//!
//! ```text
//! Theme      tokens of color, dark and light, and how egui's own widgets take them
//! palette    colors of kinds (Okabe and Ito), of loads (cividis) and of differences
//! number     quantities as people read them, with their unit
//! Told       a number that can say what it means and where it is from
//! ```
//!
//! Views name tokens and never colors. No meaning is carried by color alone: kinds have letters,
//! bubbles are hatched, the critical path is outlined.

pub mod number;
pub mod palette;
mod theme;
mod told;

pub use theme::{ANIMATION, Theme, install, space};
pub use told::{Told, Worth, told_card, told_line, told_ui, told_value};
