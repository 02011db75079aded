//! Tables of training runs.
