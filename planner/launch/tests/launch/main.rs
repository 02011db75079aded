//! Launch files as their readers meet them.

mod files;
mod fixtures;
mod hostile;
mod identity;
mod imports;
mod refusals;
mod shellcheck;
