//! What a view made of its inputs, kept until they change: work per frame follows what moved, not the data.

use std::any::Any;
use std::sync::Arc;

use egui::{Id, Ui};

/// Shared data, which is the same where it is shared and not only equal.
#[derive(Debug)]
pub struct Same<T>(pub Arc<T>);

impl<T> Clone for Same<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> PartialEq for Same<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> From<&Arc<T>> for Same<T> {
    fn from(data: &Arc<T>) -> Self {
        Self(Arc::clone(data))
    }
}

/// What was made of inputs in an earlier frame, or is made of them now.
///
/// * `name` — unique among all views.
/// * `inputs` — everything that the outcome depends on.
pub fn kept<I, T>(ui: &Ui, name: &str, inputs: I, make: impl FnOnce() -> T) -> Arc<T>
where
    I: PartialEq + Clone + Any + Send + Sync,
    T: Any + Send + Sync,
{
    let id = Id::unique(("kept", name));
    let known: Option<(I, Arc<T>)> = ui.data(|data| data.get_temp(id));
    if let Some((of, before)) = known
        && of == inputs
    {
        return before;
    }
    let outcome = Arc::new(make());
    ui.data_mut(|data| data.insert_temp(id, (inputs, Arc::clone(&outcome))));
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_is_made_anew_only_for_other_inputs() {
        let ctx = egui::Context::default();
        let data = Arc::new(3);
        let mut runs = 0;
        let mut made = Vec::new();
        let mut output = ctx.run_ui(egui::RawInput::default(), |ui| {
            for filter in [1, 1, 2] {
                let inputs = (Same::from(&data), filter);
                let found = kept(ui, "test", inputs, || {
                    runs += 1;
                    filter * 10
                });
                made.push(*found);
            }
        });
        output.textures_delta.clear();
        assert_eq!(made[..3], [10, 10, 20]);
        assert!(runs <= 2 * made.len() / 3, "{runs}");
    }
}
