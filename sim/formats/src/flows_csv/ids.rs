//! What the flows of a list are called.

use std::borrow::Cow;

use traffic::FlowId;

use super::texts::Texts;

/// The ids of a list of flows. Those that count up by one, as most files have them, take no room.
#[derive(Clone, Debug)]
pub struct FlowIds(Kind);

#[derive(Clone, Debug)]
enum Kind {
    /// `first`, `first + 1` and so on.
    Counted {
        first: u64,
        count: u32,
    },
    Named(Texts),
}

/// What became of an id that was added.
pub(super) enum Added {
    New,
    /// It is the id of an earlier flow.
    Repeated(FlowId),
    /// No room is left.
    Full,
}

impl FlowIds {
    /// The ids `0`, `1` and so on of as many flows.
    pub const fn counted(count: u32) -> Self {
        Self(Kind::Counted { first: 0, count })
    }

    /// The ids of flows in their order; `None` where two are alike or take more room than there is.
    pub fn named<T: AsRef<str>>(ids: impl IntoIterator<Item = T>) -> Option<Self> {
        let mut all = Self::counted(0);
        for id in ids {
            if !matches!(all.add(id.as_ref()), Added::New) {
                return None;
            }
        }
        Some(all)
    }

    /// How many ids there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Kind::Counted { count, .. } => *count as usize,
            Kind::Named(texts) => texts.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The id of a flow.
    ///
    /// # Panics
    ///
    /// Where there is no such flow.
    pub fn get(&self, flow: FlowId) -> Cow<'_, str> {
        match &self.0 {
            Kind::Counted { first, count } => {
                assert!(flow.get() < *count, "flow {} of {count}", flow.get());
                Cow::Owned((first + u64::from(flow.get())).to_string())
            }
            Kind::Named(texts) => Cow::Borrowed(texts.get(flow.index())),
        }
    }

    /// The flow of that id.
    pub fn find(&self, id: &str) -> Option<FlowId> {
        match &self.0 {
            Kind::Counted { first, count } => {
                let place = plain_number(id)?.checked_sub(*first)?;
                let place = u32::try_from(place).ok()?;
                (place < *count).then(|| FlowId::new(place))
            }
            Kind::Named(texts) => texts.find(id).map(FlowId::new),
        }
    }

    pub(super) fn add(&mut self, id: &str) -> Added {
        if let Kind::Counted { first, count } = &mut self.0 {
            let number = plain_number(id);
            if *count == 0 {
                *first = number.unwrap_or(0);
            }
            if number.is_some() && number == first.checked_add(u64::from(*count)) {
                *count += 1;
                return Added::New;
            }
            let Some(texts) = spelled(*first, *count) else {
                return Added::Full;
            };
            self.0 = Kind::Named(texts);
        }
        let Kind::Named(texts) = &mut self.0 else {
            return Added::Full;
        };
        match texts.add(id) {
            Some((_, true)) => Added::New,
            Some((place, false)) => Added::Repeated(FlowId::new(place)),
            None => Added::Full,
        }
    }
}

/// Counted ids as texts.
fn spelled(first: u64, count: u32) -> Option<Texts> {
    let mut texts = Texts::default();
    for place in 0..u64::from(count) {
        texts.add(&(first + place).to_string())?;
    }
    Some(texts)
}

/// A number that is written as we would write it, so that equal numbers are equal texts.
fn plain_number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits && (text.len() == 1 || text.bytes().next() != Some(b'0'));
    plain.then(|| text.parse().ok()).flatten()
}
