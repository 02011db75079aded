//! Spans, counters, the critical path and the report.
