//! Model architectures, their operators and the jobs that train them.
