//! Figures and tables from the outside: on paper and in the window.

mod figures;
mod paper;
mod window;
