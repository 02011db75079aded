//! Open, edit, predict, compare and export, in plain data.
