//! Zones whose members hang on a common middle.

use units::LinkId;

/// What a member has of links of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Spoke {
    pub(super) up: Option<Box<[LinkId]>>,
    pub(super) down: Option<Box<[LinkId]>>,
    pub(super) loopback: Option<Box<[LinkId]>>,
}

/// A zone of routing Cluster whose links are listed.
#[derive(Clone, Debug, Default)]
pub(super) struct Star {
    /// By place of the member; a member past the end hangs on the middle itself.
    spokes: Vec<Spoke>,
    pub(super) backbone: Option<LinkId>,
    /// Links up and down of the members that the file connects, in order.
    pub(super) connected: Vec<(u32, LinkId, LinkId)>,
}

impl Star {
    pub(super) fn spoke(&mut self, place: u32) -> &mut Spoke {
        let place = place as usize;
        if self.spokes.len() <= place {
            self.spokes.resize(place + 1, Spoke::default());
        }
        &mut self.spokes[place]
    }

    /// Lays links and backbone out: up over the own link and the backbone, down in reverse.
    pub(super) fn seal(&mut self) {
        let connected = std::mem::take(&mut self.connected);
        let backbone = self.backbone;
        for (place, up, down) in connected {
            let spoke = self.spoke(place);
            spoke.up = Some([up].into_iter().chain(backbone).collect());
            spoke.down = Some(backbone.into_iter().chain([down]).collect());
        }
    }

    /// The links from one member to another, none of them twice; `None` where an end has links
    /// of its own that do not reach.
    pub(super) fn way(&self, from: u32, to: u32, out: &mut Vec<LinkId>) -> Option<()> {
        let [a, b] = [from, to].map(|place| self.spokes.get(place as usize));
        if from == to
            && let Some(loopback) = a.and_then(|spoke| spoke.loopback.as_deref())
        {
            out.extend_from_slice(loopback);
            return Some(());
        }
        // A member without any links of its own hangs on the middle; one that has only a loopback
        // does not reach it.
        let reach = |spoke: Option<&Spoke>, links: Option<Box<[LinkId]>>| match (spoke, links) {
            (_, Some(links)) => Some(links),
            (Some(spoke), None) if spoke.loopback.is_some() => None,
            (_, None) => Some(Box::default()),
        };
        let up = reach(a, a.and_then(|spoke| spoke.up.clone()))?;
        let down = reach(b, b.and_then(|spoke| spoke.down.clone()))?;
        let first = out.len();
        for &link in up.iter().chain(&down) {
            if !out[first..].contains(&link) {
                out.push(link);
            }
        }
        Some(())
    }
}
