//! Zones of routing Cluster whose hosts a file connects one by one.

use units::{BytesPerSec, Seconds};

use super::build::{Builder, LinkSpec, Policy};
use super::error::ZoneError;
use super::listed::Hop;
use super::star::Star;
use super::zone::{Kind, What};
use crate::topology::Direction;

impl Builder {
    fn star(&mut self, name: &str) -> Result<(u32, &mut Star), ZoneError> {
        let id = self.current(name)?;
        let zone = self.platform.zone_name(id).to_owned();
        match &mut self.platform.zones[id as usize].kind {
            Kind::Star(star) => Ok((id, star)),
            kind => Err(ZoneError::NotACluster {
                name: name.to_owned(),
                zone,
                routing: kind.name(),
            }),
        }
    }

    /// Connects a host of the innermost open zone, of routing Cluster, to its middle: by one link
    /// up and one down.
    ///
    /// # Errors
    ///
    /// Another routing, an unknown host or link.
    pub fn host_link(&mut self, host: &str, up: &str, down: &str) -> Result<(), ZoneError> {
        let (id, _) = self.star(host)?;
        let point = &self.platform.points[self.point(host)? as usize];
        if point.zone != Some(id) || !matches!(point.what, What::Host(_)) {
            return Err(ZoneError::NoHost {
                name: host.to_owned(),
                zone: self.platform.zone_name(id).to_owned(),
            });
        }
        let place = point.place;
        let link = |link| {
            let direction = Direction::Both;
            self.hop(Hop { link, direction }).map(|[link, _]| link)
        };
        let (up, down) = (link(up)?, link(down)?);
        self.star(host)?.1.connected.push((place, up, down));
        Ok(())
    }

    /// Gives the innermost open zone, of routing Cluster, a link that all its routes cross.
    ///
    /// # Errors
    ///
    /// Another routing, a second backbone, and as of [`Builder::link`].
    pub fn backbone(&mut self, spec: LinkSpec<'_>) -> Result<(), ZoneError> {
        let (id, star) = self.star(spec.name)?;
        if star.backbone.is_some() {
            return Err(ZoneError::SecondBackbone {
                zone: self.platform.zone_name(id).to_owned(),
                name: spec.name.to_owned(),
            });
        }
        self.link(spec)?;
        let link = self.platform.wires.named(spec.name);
        self.star(spec.name)?.1.backbone = link;
        Ok(())
    }

    /// Adds a host to the innermost open zone, of routing Cluster, with a link up and one down.
    ///
    /// # Errors
    ///
    /// Another routing, and as of [`Builder::host`] and [`Builder::link`].
    pub fn cabinet_host(
        &mut self,
        name: &str,
        rate: BytesPerSec,
        latency: Seconds,
    ) -> Result<(), ZoneError> {
        self.star(name)?;
        self.host(name)?;
        let link = format!("link_{name}");
        let policy = Policy::SplitDuplex;
        self.link(LinkSpec {
            name: &link,
            rate,
            latency,
            policy,
        })?;
        self.host_link(name, &format!("{link}_UP"), &format!("{link}_DOWN"))
    }
}
