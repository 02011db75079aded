//! What was read of the zoo, kept for the next scenario of the thread: its files never change.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::thread::LocalKey;

use cluster::{FabricSpec, GpuSpec, NodeSpec};

use crate::curves::ProfileFile;
use crate::error::Failure;
use crate::framework::FrameworkFile;
use crate::reference::is_path;

/// Values by the name under which they were asked for.
pub(crate) type Kept<T> = RefCell<BTreeMap<String, T>>;

thread_local! {
    pub(crate) static GPUS: Kept<GpuSpec> = const { RefCell::new(BTreeMap::new()) };
    pub(crate) static NODES: Kept<NodeSpec> = const { RefCell::new(BTreeMap::new()) };
    pub(crate) static FABRICS: Kept<FabricSpec> = const { RefCell::new(BTreeMap::new()) };
    pub(crate) static PROFILES: Kept<ProfileFile> = const { RefCell::new(BTreeMap::new()) };
    pub(crate) static FRAMEWORKS: Kept<FrameworkFile> = const { RefCell::new(BTreeMap::new()) };
}

/// The value of that name: kept, or read now. What cannot be read is not kept, and neither are
/// files of the user, which may change.
pub(crate) fn kept<T: Clone>(
    on: &'static LocalKey<Kept<T>>,
    name: &str,
    read: impl FnOnce() -> Result<T, Vec<Failure>>,
) -> Result<T, Vec<Failure>> {
    if is_path(name) {
        return read();
    }
    if let Some(value) = on.with_borrow(|all| all.get(name).cloned()) {
        return Ok(value);
    }
    let value = read()?;
    on.with_borrow_mut(|all| all.insert(name.to_owned(), value.clone()));
    Ok(value)
}
