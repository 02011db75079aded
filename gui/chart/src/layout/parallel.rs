//! To come.

use super::Drawing;
use super::page::Page;
use crate::figure::Figure;

pub(super) fn layout(page: Page<'_>, _figure: &Figure, _content: &crate::Parallel) -> Drawing {
    page.no_data()
}
