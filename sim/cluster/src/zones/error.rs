//! Why zones, links and routes do not make a platform.

/// Why an element of a platform cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum ZoneError {
    #[error("`{name}` stands outside of all zones")]
    OutsideZones { name: String },
    #[error("`{name}` is a second outermost zone beside `{first}`")]
    SecondRoot { name: String, first: String },
    #[error("the name `{name}` is used twice for hosts, routers or zones")]
    NameTwice { name: String },
    #[error("the name `{name}` is used twice for links")]
    LinkTwice { name: String },
    #[error("zone `{zone}` holds zones, so `{name}` cannot stand in it")]
    AmongZones { zone: String, name: String },
    #[error("zone `{zone}` holds hosts or routers, so zone `{name}` cannot stand in it")]
    AmongHosts { zone: String, name: String },
    #[error("zones are nested more than {limit} deep")]
    TooDeep { limit: usize },
    #[error("the platform has {found} {what}, the limit is {limit}")]
    TooMany {
        what: &'static str,
        found: u64,
        limit: u64,
    },
    #[error("link `{name}` has a latency of {secs} s")]
    Latency { name: String, secs: f64 },
    #[error("no host, router or zone before this line has the name `{name}`")]
    UnknownPoint { name: String },
    #[error("no link before this line has the name `{name}`")]
    UnknownLink { name: String },
    #[error("link `{name}` is split by direction, and the route does not say which way it goes")]
    NoDirection { name: String },
    #[error("link `{name}` has one direction for both ways, but the route gives it one")]
    NotSplit { name: String },
    #[error("`{name}` stands in zone `{found}`, but the route is declared in zone `{zone}`")]
    NotAMember {
        name: String,
        zone: String,
        found: String,
    },
    #[error("a route of hosts ends at zone `{name}`")]
    EndIsZone { name: String },
    #[error("a route of zones ends at `{name}`, which is no zone")]
    EndIsNoZone { name: String },
    #[error("the gateway `{name}` is a zone")]
    GatewayIsZone { name: String },
    #[error("the gateway `{name}` does not stand in zone `{zone}`")]
    GatewayOutside { name: String, zone: String },
    #[error("the route has the gateway `{name}` at both ends")]
    GatewayTwice { name: String },
    #[error("the route from `{from}` to `{to}` has no links")]
    Empty { from: String, to: String },
    #[error("the route from `{from}` to `{to}` exists already")]
    RouteTwice { from: String, to: String },
    #[error("zone `{zone}` has routing {routing} and takes no route from `{from}` to `{to}`")]
    NoRoutes {
        zone: String,
        routing: &'static str,
        from: String,
        to: String,
    },
    #[error("`{name}` belongs into a zone of routing Cluster, but `{zone}` has routing {routing}")]
    NotACluster {
        name: String,
        zone: String,
        routing: &'static str,
    },
    #[error("`{name}` is no host of zone `{zone}`")]
    NoHost { name: String, zone: String },
    #[error("zone `{zone}` has a second backbone, `{name}`")]
    SecondBackbone { zone: String, name: String },
    #[error("cluster `{name}` needs {needed} hosts for its topology, its radical lists {found}")]
    TooFewHosts {
        name: String,
        needed: u64,
        found: u64,
    },
    #[error("cluster `{name}`: {what}")]
    Shape { name: String, what: String },
    #[error("the platform has no zone")]
    Nothing,
    #[error("zone `{name}` is not closed")]
    Open { name: String },
}

impl ZoneError {
    /// What to change, where we can tell.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::OutsideZones { .. } | Self::Nothing => "put all elements into one `zone`",
            Self::SecondRoot { .. } => {
                "put both zones into a third and connect them by `zoneRoute`"
            }
            Self::AmongZones { .. } | Self::AmongHosts { .. } => {
                "give the hosts a zone of their own inside this one"
            }
            Self::UnknownLink { .. } | Self::UnknownPoint { .. } => {
                "names are case-sensitive, and what a route uses stands before it"
            }
            Self::NoDirection { .. } => {
                "add direction=\"UP\" or direction=\"DOWN\" to the link_ctn"
            }
            Self::NotSplit { .. } => {
                "leave `direction` out, or give the link sharing_policy=\"SPLITDUPLEX\""
            }
            Self::EndIsZone { .. } => "zones are connected by `zoneRoute`",
            Self::EndIsNoZone { .. } => "hosts and routers are connected by `route`",
            Self::GatewayOutside { .. } => {
                "a gateway stands inside the zone that it is the gateway of"
            }
            Self::RouteTwice { .. } => {
                "a route holds both ways unless symmetrical=\"NO\": leave one of the two out"
            }
            Self::NoRoutes { .. } => "routing Full, Floyd and Dijkstra take routes",
            Self::TooFewHosts { .. } => {
                "the radical lists at least as many hosts as the topology has"
            }
            Self::TooMany { .. } => "split the platform, or simulate a part of it",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// Why no way leads from one host to another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum NoWay {
    #[error("zone `{zone}` has no route from `{from}` to `{to}`")]
    NoRoute {
        zone: String,
        from: String,
        to: String,
    },
    #[error("zone `{zone}` names no gateways between `{from}` and `{to}`")]
    NoGateways {
        zone: String,
        from: String,
        to: String,
    },
    #[error("the route from `{from}` to `{to}` comes back to itself")]
    Loop { from: String, to: String },
}
