//! Folding symmetric flows into classes.
