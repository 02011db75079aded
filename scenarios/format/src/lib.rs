//! Scenario, cluster, model and profile files to values, with errors that show the line.
