//! An application as tests use it.

use egui_kittest::Harness;
use viewer::app::App;
use viewer::command::Command;
use viewer::dialogs::{Dialogs, Typed};
use viewer::keep::Keeper;
use viewer::state::State;
use viewer::worker::Mode;

/// The application of a test.
pub(crate) struct Person {
    /// What the test drives.
    pub(crate) harness: Harness<'static, App>,
}

/// The example that most tests open: small enough to run in a blink.
pub(crate) const SMALL: &str = "llama3-8b-dgx-h100";

impl Person {
    /// Somebody in front of the start page.
    pub(crate) fn new() -> Self {
        Self::with(Mode::Inline, Typed, Keeper::nothing())
    }

    /// Somebody whose work goes on in another way, with other dialogs or a session that is kept.
    pub(crate) fn with(mode: Mode, dialogs: impl Dialogs + 'static, keeper: Keeper) -> Self {
        Self::sized(mode, dialogs, keeper, egui::vec2(1280.0, 800.0))
    }

    /// Somebody in front of the start page of a window as small as it can be.
    pub(crate) fn small() -> Self {
        let size = egui::vec2(640.0, 400.0);
        Self::sized(Mode::Inline, Typed, Keeper::nothing(), size)
    }

    fn sized(
        mode: Mode,
        dialogs: impl Dialogs + 'static,
        keeper: Keeper,
        size: egui::Vec2,
    ) -> Self {
        let harness = Harness::builder()
            .with_size(size)
            .with_theme(egui::Theme::Dark)
            .build_eframe(|cc| {
                let mut app = App::new(&cc.egui_ctx, mode, dialogs, keeper);
                app.send(Command::SetTheme(egui::ThemePreference::Dark));
                app.send(Command::SetReducedMotion(true));
                app.start(None);
                app
            });
        let mut person = Self { harness };
        person.settle();
        person
    }

    /// Somebody who has an example open and run.
    pub(crate) fn with_example(name: &str) -> Self {
        let mut person = Self::new();
        person.send(Command::OpenExample(name.to_owned()));
        person
    }

    /// Lets frames pass until work is done and layouts have settled.
    pub(crate) fn settle(&mut self) {
        for _ in 0..20 {
            self.harness.run_steps(2);
            if self.harness.state().is_idle() {
                break;
            }
        }
        self.harness.run_steps(2);
    }

    /// Sends a command, as a menu does.
    pub(crate) fn send(&mut self, command: Command) {
        self.harness.state_mut().send(command);
        self.settle();
    }

    /// The state.
    pub(crate) fn state(&self) -> &State {
        self.harness.state().state()
    }

    /// Clicks what has a name.
    pub(crate) fn click(&mut self, label: &str) {
        use egui_kittest::kittest::Queryable as _;
        self.harness.get_by_label(label).click();
        self.settle();
    }

    /// Clicks the first thing whose name contains a text.
    pub(crate) fn click_containing(&mut self, text: &str) {
        use egui_kittest::kittest::Queryable as _;
        let node = self.harness.get_all_by_label_contains(text).next();
        node.expect("something of that name").click();
        self.settle();
    }

    /// Whether something has a name that contains a text.
    pub(crate) fn sees(&self, text: &str) -> bool {
        use egui_kittest::kittest::Queryable as _;
        self.harness
            .query_all_by_label_contains(text)
            .next()
            .is_some()
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, modifiers: egui::Modifiers, key: egui::Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.settle();
    }

    /// Types text where the focus is.
    pub(crate) fn type_text(&mut self, text: &str) {
        self.harness.event(egui::Event::Text(text.to_owned()));
        self.settle();
    }
}
