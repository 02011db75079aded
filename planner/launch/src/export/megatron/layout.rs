//! `--pipeline-model-parallel-layout`: what each virtual stage holds, as a text.
//!
//! ```text
//! E embedding, t a layer, m a module for a further token, L loss; | ends a stage, x*n repeats
//! "Et*3|t*4|t*4|t*3L": 3, 4, 4 and 3 layers
//! ```

use plan::{Plan, StageContent};

/// The layout of a plan.
pub(crate) fn text(plan: &Plan) -> String {
    let stages: Vec<String> = plan.stages().iter().map(stage).collect();
    stages.join("|")
}

fn stage(content: &StageContent) -> String {
    let mut text = String::new();
    if content.embedding {
        text.push('E');
    }
    text.push_str(&repeated('t', content.layers.len()));
    text.push_str(&repeated('m', content.mtp as usize));
    if content.head {
        text.push('L');
    }
    text
}

/// A letter so many times.
fn repeated(letter: char, count: usize) -> String {
    match count {
        0..=2 => std::iter::repeat_n(letter, count).collect(),
        _ => format!("{letter}*{count}"),
    }
}
