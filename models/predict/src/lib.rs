//! The one entry point: a scenario's values in, a prediction out.
