//! Walking marks with the keys.

use egui::{EventFilter, Key, Modifiers, Ui};

use crate::figure::Content;
use crate::figure_ui::Shown;
use crate::mark::{MarkRef, n_samples, sampled_layer};

/// A step along the marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Left,
    Right,
    Up,
    Down,
    First,
    Last,
}

/// The mark in focus after the keys of this frame. egui remembers it with the focus.
pub(crate) fn walked(shown: &Shown<'_>, ui: &Ui) -> Option<MarkRef> {
    ui.memory_mut(|memory| {
        memory.set_focus_lock_filter(
            shown.id,
            EventFilter {
                horizontal_arrows: true,
                vertical_arrows: true,
                ..EventFilter::default()
            },
        );
    });
    let mut mark = ui.data(|data| data.get_temp::<MarkRef>(shown.id));
    mark = mark.filter(|&mark| shown.bounds(mark).is_some());
    for step in steps(ui) {
        mark = stepped(shown, mark, step);
    }
    ui.data_mut(|data| {
        if let Some(mark) = mark {
            data.insert_temp(shown.id, mark);
        } else {
            data.remove::<MarkRef>(shown.id);
        }
    });
    mark
}

fn steps(ui: &Ui) -> Vec<Step> {
    const KEYS: [(Key, Step); 6] = [
        (Key::ArrowLeft, Step::Left),
        (Key::ArrowRight, Step::Right),
        (Key::ArrowUp, Step::Up),
        (Key::ArrowDown, Step::Down),
        (Key::Home, Step::First),
        (Key::End, Step::Last),
    ];
    let pressed = |&(key, step): &(Key, Step)| {
        let times = ui.input_mut(|input| input.count_and_consume_key(Modifiers::NONE, key));
        vec![step; times]
    };
    KEYS.iter().flat_map(pressed).collect()
}

fn stepped(shown: &Shown<'_>, from: Option<MarkRef>, step: Step) -> Option<MarkRef> {
    if shown.drawing.targets.is_empty() {
        return stepped_sample(shown, from, step);
    }
    let mut order: Vec<_> = shown.drawing.targets.iter().collect();
    match (&shown.figure.content, step) {
        (Content::Xy(_), Step::Up | Step::Down) => order.sort_by(|a, b| b.at.y.total_cmp(&a.at.y)),
        (Content::Xy(_), _) => order.sort_by(|a, b| a.at.x.total_cmp(&b.at.x)),
        _ => {}
    }
    let forward = match &shown.figure.content {
        Content::Xy(_) => matches!(step, Step::Right | Step::Up),
        _ => matches!(step, Step::Right | Step::Down),
    };
    let at = order.iter().position(|target| Some(target.mark) == from);
    let next = next(at, order.len(), step, forward)?;
    order.get(next).map(|target| target.mark)
}

fn stepped_sample(shown: &Shown<'_>, from: Option<MarkRef>, step: Step) -> Option<MarkRef> {
    let Content::Xy(xy) = &shown.figure.content else {
        return None;
    };
    let layer = sampled_layer(xy)?;
    let at = match from {
        Some(MarkRef::Sample { index, .. }) => Some(index),
        _ => None,
    };
    let forward = matches!(step, Step::Right | Step::Up);
    let index = next(at, n_samples(&xy.layers[layer]), step, forward)?;
    Some(MarkRef::Sample { layer, index })
}

/// The next of `n` places; the first one where there is none yet.
fn next(at: Option<usize>, n: usize, step: Step, forward: bool) -> Option<usize> {
    let last = n.checked_sub(1)?;
    Some(match (step, at) {
        (Step::First, _) | (_, None) => 0,
        (Step::Last, _) => last,
        (_, Some(at)) if forward => (at + 1).min(last),
        (_, Some(at)) => at.saturating_sub(1),
    })
}
