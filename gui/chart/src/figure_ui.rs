//! A figure in the window: pointed at, walked with keys, clicked, zoomed and brushed.

use egui::accesskit::Role;
use egui::{Id, Pos2, Rect, Response, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2};
use look::Theme;

use crate::brush::brushed;
use crate::figure::{Content, Figure};
use crate::keys::walked;
use crate::layout::{Drawing, Ranges, Surface, layout};
use crate::mark::{MarkRef, nearest_sample, sample_x, sampled_layer};
use crate::paint::{Galleys, hairline, items, ring};
use crate::tip::tip_ui;

/// How a figure is shown; the caller keeps it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FigureView {
    /// In points; `None` for all that is left.
    pub height: Option<f32>,
    /// The mark with a ring.
    pub selected: Option<u64>,
    /// What is shown instead of everything.
    pub zoom: Option<Zoom>,
    /// A moment on the axis to the right that other views point at.
    pub cursor: Option<f64>,
    /// Whether dragging zooms.
    pub can_zoom: bool,
}

/// The part of a figure that is shown, in base units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zoom {
    /// From where to where to the right.
    pub x: (f64, f64),
    /// From where to where upward; `None` for everything.
    pub y: Option<(f64, f64)>,
}

/// What the user let through on one of the parallel axes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Brush {
    /// Which axis, counted from 0.
    pub axis: usize,
    /// In the base unit; `None` for everything.
    pub range: Option<(f64, f64)>,
}

/// What the user did with a figure.
#[derive(Debug)]
pub struct FigureResponse {
    /// The figure as a widget.
    pub response: Response,
    /// The mark under the pointer.
    pub hovered: Option<u64>,
    /// The mark that was clicked, or chosen with Enter.
    pub clicked: Option<u64>,
    /// The mark that has the focus of the keyboard.
    pub focused: Option<u64>,
    /// Where the pointer is on the two axes, in base units.
    pub cursor: Option<(f64, f64)>,
    /// The zoom that was asked for; `Some(None)` for everything.
    pub zoomed: Option<Option<Zoom>>,
    /// The brush that was drawn.
    pub brushed: Option<Brush>,
}

/// Shows a figure over the whole width.
pub fn figure_ui(ui: &mut Ui, figure: &Figure, view: &FigureView) -> FigureResponse {
    let height = view.height.unwrap_or_else(|| ui.available_height());
    let size = vec2(ui.available_width(), height).max(vec2(40.0, 40.0));
    let (_, rect) = ui.allocate_space(size);
    let id = ui.scope_id().with((
        "figure",
        &figure.title,
        std::mem::discriminant(&figure.content),
    ));
    let response = ui.interact(rect, id, sense(figure, view));
    response.widget_info(|| WidgetInfo::labeled(Role::Figure, ui.is_enabled(), figure.name()));

    let theme = Theme::of(ui.ctx());
    let painter = ui.painter_at(rect);
    let ranges = Ranges {
        x: view.zoom.map(|zoom| zoom.x),
        y: view.zoom.and_then(|zoom| zoom.y),
    };
    let measure = Galleys(&painter);
    let drawing = layout(
        figure,
        ranges,
        Surface::Screen,
        rect.size(),
        &theme,
        &measure,
    );
    if ui.is_rect_visible(rect) {
        painter.rect_filled(rect, 0.0, theme.ground);
        items(&painter, rect.min.to_vec2(), &drawing.items);
    }
    let shown = Shown {
        figure,
        view,
        drawing,
        rect,
        theme,
        id,
    };
    shown.interact(ui, response)
}

fn sense(figure: &Figure, view: &FigureView) -> Sense {
    let drags = match &figure.content {
        Content::Xy(_) => view.can_zoom,
        Content::Parallel(_) => true,
        Content::Bars(_) | Content::Gantt(_) | Content::Diagram(_) => false,
    };
    if drags {
        Sense::click_and_drag()
    } else {
        Sense::click()
    }
}

/// A figure on the screen.
pub(crate) struct Shown<'a> {
    pub(crate) figure: &'a Figure,
    pub(crate) view: &'a FigureView,
    pub(crate) drawing: Drawing,
    pub(crate) rect: Rect,
    pub(crate) theme: Theme,
    pub(crate) id: Id,
}

impl Shown<'_> {
    fn interact(&self, ui: &mut Ui, response: Response) -> FigureResponse {
        let pointer = response.hover_pos().map(|at| at - self.rect.min.to_vec2());
        let hovered = pointer.and_then(|at| self.mark_at(at));
        let focused = if response.has_focus() {
            walked(self, ui)
        } else {
            None
        };
        self.emphasize(ui, hovered, focused);
        if response.has_focus() {
            let stroke = Stroke::new(1.5, self.theme.accent);
            ui.painter()
                .rect_stroke(self.rect, 4.0, stroke, StrokeKind::Inside);
        }
        if !response.dragged()
            && let Some(mark) = hovered.or(focused)
        {
            self.tell(ui, mark, pointer, focused == Some(mark));
        }
        let by_pointer = ui.input(|input| input.pointer.primary_released());
        let chosen = if by_pointer { hovered } else { focused };
        FigureResponse {
            hovered: hovered.and_then(|mark| self.id_of(mark)),
            clicked: chosen
                .filter(|_| response.clicked())
                .and_then(|mark| self.id_of(mark)),
            focused: focused.and_then(|mark| self.id_of(mark)),
            cursor: pointer.and_then(|at| self.values_at(at)),
            zoomed: self.zoomed(ui, &response),
            brushed: brushed(self, ui, &response),
            response,
        }
    }

    /// The mark at a place: the nearest target, or the sample beneath the pointer.
    fn mark_at(&self, at: Pos2) -> Option<MarkRef> {
        let hit = self
            .drawing
            .targets
            .iter()
            .filter_map(|target| Some((target.distance(at)?, target)));
        if let Some((_, target)) = hit.min_by(|a, b| a.0.total_cmp(&b.0)) {
            return Some(target.mark);
        }
        let Content::Xy(xy) = &self.figure.content else {
            return None;
        };
        if has_points(xy) || !self.drawing.plot.contains(at) {
            return None;
        }
        let layer = sampled_layer(xy)?;
        let x = self.drawing.axes.first()?.value(at.x);
        let index = nearest_sample(&xy.layers[layer], x)?;
        Some(MarkRef::Sample { layer, index })
    }

    fn id_of(&self, mark: MarkRef) -> Option<u64> {
        let target = self
            .drawing
            .targets
            .iter()
            .find(|target| target.mark == mark);
        target.map(|target| target.id)
    }

    /// Both values at a place, on figures with two axes.
    fn values_at(&self, at: Pos2) -> Option<(f64, f64)> {
        match (&self.figure.content, self.drawing.axes.as_slice()) {
            (Content::Xy(_), [x, y]) if self.drawing.plot.contains(at) => {
                Some((x.value(at.x), y.value(at.y)))
            }
            _ => None,
        }
    }

    /// Where a mark is drawn, on the screen.
    pub(crate) fn bounds(&self, mark: MarkRef) -> Option<Rect> {
        let offset = self.rect.min.to_vec2();
        if let Some(target) = self
            .drawing
            .targets
            .iter()
            .find(|target| target.mark == mark)
        {
            return Some(target.bounds().translate(offset));
        }
        let (MarkRef::Sample { layer, index }, Content::Xy(xy)) = (mark, &self.figure.content)
        else {
            return None;
        };
        let x = self
            .drawing
            .axes
            .first()?
            .at(sample_x(xy.layers.get(layer)?, index)?)?;
        let plot = self.drawing.plot;
        let column = Rect::from_min_max(
            Pos2::new(x - 1.0, plot.top()),
            Pos2::new(x + 1.0, plot.bottom()),
        );
        plot.expand(2.0)
            .contains(column.center())
            .then(|| column.translate(offset))
    }

    /// Rings about marks that are selected, pointed at or in focus, and hairlines at moments.
    fn emphasize(&self, ui: &Ui, hovered: Option<MarkRef>, focused: Option<MarkRef>) {
        let painter = ui.painter_at(self.rect);
        let plot = self.drawing.plot.translate(self.rect.min.to_vec2());
        let selected = self
            .drawing
            .targets
            .iter()
            .filter(|target| Some(target.id) == self.view.selected);
        let offset = self.rect.min.to_vec2();
        let mut bounds: Vec<Rect> = selected
            .map(|target| target.bounds().translate(offset))
            .collect();
        if let (Content::Bars(_), Some(all)) = (
            &self.figure.content,
            bounds.iter().copied().reduce(Rect::union),
        ) {
            // One about the whole bar: about each part they would hide the small ones.
            bounds = vec![all];
        }
        for bounds in bounds {
            ring(&painter, bounds, Stroke::new(2.0, self.theme.accent));
        }
        if let (Content::Xy(_), Some(x), Some(map)) = (
            &self.figure.content,
            self.view.cursor,
            self.drawing.axes.first(),
        ) && let Some(x) = map.at(x).map(|x| x + self.rect.left())
            && plot.x_range().contains(x)
        {
            hairline(&painter, plot, x, self.theme.playhead);
        }
        for (mark, color) in [(hovered, self.theme.text), (focused, self.theme.accent)] {
            let Some((mark, bounds)) = mark.and_then(|mark| Some((mark, self.bounds(mark)?)))
            else {
                continue;
            };
            match mark {
                MarkRef::Sample { .. } => hairline(&painter, plot, bounds.center().x, color),
                MarkRef::Line { .. } => self.trace_line(&painter, mark, color),
                _ => ring(&painter, bounds, Stroke::new(1.5, color)),
            }
        }
    }

    /// Draws the line of a mark again, wide.
    fn trace_line(&self, painter: &egui::Painter, mark: MarkRef, color: egui::Color32) {
        let target = self
            .drawing
            .targets
            .iter()
            .find(|target| target.mark == mark);
        if let Some(crate::layout::Zone::Path(points)) = target.map(|target| &target.zone) {
            let points = points.iter().map(|&point| point + self.rect.min.to_vec2());
            painter.line(points.collect(), Stroke::new(2.5, color));
        }
    }

    /// Shows what a mark says beside it, and tells it to readers while it has the focus.
    fn tell(&self, ui: &Ui, mark: MarkRef, pointer: Option<Pos2>, is_focused: bool) {
        let Some(bounds) = self.bounds(mark) else {
            return;
        };
        let said = self.figure.said(mark);
        if is_focused {
            let id = self.id.with("focused mark");
            let response = ui.interact(bounds, id, Sense::hover());
            response
                .widget_info(|| WidgetInfo::labeled(Role::GraphicsSymbol, true, said.sentence()));
            let child = response.id.accesskit_id();
            ui.ctx()
                .accesskit_node_builder(self.id, |node| node.set_active_descendant(child));
        }
        let at = match (mark, pointer) {
            (MarkRef::Sample { .. } | MarkRef::Line { .. } | MarkRef::Part { .. }, Some(at))
                if !is_focused =>
            {
                Rect::from_center_size(at + self.rect.min.to_vec2(), vec2(16.0, 16.0))
            }
            (MarkRef::Sample { .. }, _) => Rect::from_center_size(bounds.center(), vec2(8.0, 8.0)),
            _ => bounds.expand(4.0),
        };
        tip_ui(ui, self.id, at, (&said, &self.figure.about), &self.theme);
    }

    /// The zoom that a drag or a double click asks for; draws the drag.
    #[expect(
        clippy::option_option,
        reason = "no wish, the wish for everything, the wish for a part"
    )]
    fn zoomed(&self, ui: &Ui, response: &Response) -> Option<Option<Zoom>> {
        let (Content::Xy(xy), [x, y]) = (&self.figure.content, self.drawing.axes.as_slice()) else {
            return None;
        };
        if !self.view.can_zoom {
            return None;
        }
        if response.double_clicked() {
            return Some(None);
        }
        let is_scatter = has_points(xy);
        let memory = self.id.with("drag");
        if response.dragged()
            && let Some(drag) = self.dragged(ui, is_scatter)
        {
            let painter = ui.painter_at(self.rect);
            painter.rect_filled(drag, 0.0, self.theme.selection.gamma_multiply(0.4));
            let stroke = Stroke::new(1.0, self.theme.accent);
            painter.rect_stroke(drag, 0.0, stroke, StrokeKind::Inside);
            ui.data_mut(|data| data.insert_temp(memory, Some(drag)));
        }
        if !response.drag_stopped() {
            return None;
        }
        let drag = ui.data_mut(|data| data.remove_temp::<Option<Rect>>(memory))??;
        if drag.width() < 4.0 || drag.height() < 4.0 {
            return None;
        }
        let drag = drag.translate(-self.rect.min.to_vec2());
        Some(Some(Zoom {
            x: (x.value(drag.left()), x.value(drag.right())),
            y: is_scatter.then(|| (y.value(drag.bottom()), y.value(drag.top()))),
        }))
    }

    /// The part of the plot that is being dragged over; without points, all of its height.
    fn dragged(&self, ui: &Ui, is_scatter: bool) -> Option<Rect> {
        let plot = self.drawing.plot.translate(self.rect.min.to_vec2());
        let (from, to) =
            ui.input(|input| Some((input.pointer.press_origin()?, input.pointer.latest_pos()?)))?;
        if !plot.expand(4.0).contains(from) {
            return None;
        }
        let drag = Rect::from_two_pos(plot.clamp(from), plot.clamp(to));
        Some(if is_scatter {
            drag
        } else {
            Rect::from_x_y_ranges(drag.x_range(), plot.y_range())
        })
    }
}

fn has_points(xy: &crate::Xy) -> bool {
    let is_points = |layer: &crate::Layer| matches!(layer, crate::Layer::Points(_));
    xy.layers.iter().any(is_points)
}
