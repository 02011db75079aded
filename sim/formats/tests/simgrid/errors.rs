//! What is wrong with a file is named, with its line and what to do.

use formats::simgrid::{SimGridError, read};

/// A platform of one zone with that inside, which begins on line 3.
fn zone(routing: &str, inside: &str) -> String {
    format!(
        "<platform version=\"4.1\">\n<zone id=\"z\" routing=\"{routing}\">\n{inside}\n</zone>\n</platform>"
    )
}

const TWO_HOSTS: &str = "<host id=\"a\" speed=\"1f\"/><host id=\"b\" speed=\"1f\"/>";

fn error(text: &str) -> SimGridError {
    match read(text) {
        Ok(_) => panic!("this was read:\n{text}"),
        Err(error) => error,
    }
}

/// Asserts that the text is wrong on that line, with that message.
#[track_caller]
fn assert_error(text: &str, line: u32, message: &str) {
    let error = error(text);
    assert!(error.to_string().contains(message), "{error}");
    assert_eq!(error.line, line, "{error}");
}

#[test]
fn text_that_is_no_xml_or_no_platform_is_named() {
    assert_error("", 1, "no `platform`");
    assert_error("{}", 1, "no `platform`");
    assert_error("<cluster/>", 1, "no `platform`");
    assert_error(
        "<platform version=\"4.1\">\n<zone",
        2,
        "ends inside `platform`",
    );
    assert_error(
        "<platform version=\"4.1\"><zone id=\"z\" routing=\"Full\">\n",
        2,
        "ends inside `zone`",
    );
    assert_error(
        "<platform version=\"4.1\">\n<a></b>\n</platform>",
        2,
        "no element",
    );
    assert_error("<platform version=\"4.1\"></zone>", 1, "not well-formed");
    assert_error(
        "<platform version=\"4.1\" version=\"4\"/>",
        1,
        "not well-formed",
    );
    assert_error("<platform version=\"4.1\"/>", 1, "no zone");
    assert_error("<platform/>", 1, "has no `version`");
}

#[test]
fn old_versions_are_named_with_the_tool_that_helps() {
    let old = error("<platform version=\"3\"/>");
    assert_eq!(
        old.to_string(),
        "line 1: the platform has version 3, this program reads 4 and 4.1"
    );
    assert!(old.hint().unwrap().contains("simgrid_update_xml"));
    assert_error("<platform version=\"4.2\"/>", 1, "version 4.2");
    assert_error("<platform version=\"nan\"/>", 1, "version nan");
}

#[test]
fn entities_are_not_expanded() {
    let bomb =
        "<!DOCTYPE p [\n<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]>\n<platform version=\"4.1\"/>";
    assert_error(bomb, 1, "entities");
    assert_error(&zone("Full", "&b;"), 3, "entities");
    assert_error(&zone("Full", "<host id=\"&b;\"/>"), 3, "not well-formed");
    let text = zone("Full", "<host id=\"a&amp;b\" speed=\"1f\"/>");
    let platform = read(&text).unwrap().platform;
    assert!(cluster::Topology::host_named(&platform, "a&b").is_some());
}

#[test]
fn deep_nesting_ends_early() {
    let deep = |element: &str| format!("<platform version=\"4.1\">{}", element.repeat(100_000));
    let zones: Vec<String> = (0..1000)
        .map(|at| format!("<zone id=\"{at}\" routing=\"Full\">"))
        .collect();
    let zones = zones.concat();
    assert_error(
        &format!("<platform version=\"4.1\">{zones}"),
        1,
        "more than 64 deep",
    );
    assert_error(&deep("<actor>"), 1, "more than 128 deep");
    assert_error(&deep("<zone id=\"z\" routing=\"Full\">"), 1, "used twice");
}

#[test]
fn huge_clusters_take_no_memory() {
    let cluster = |radical: &str, topology: &str| {
        let rest = "prefix=\"h\" suffix=\"\" speed=\"1f\" bw=\"1Bps\" lat=\"0\"";
        format!(
            "<platform version=\"4.1\">\n<cluster id=\"c\" {rest} radical=\"{radical}\" {topology}/></platform>"
        )
    };
    assert_error(&cluster("0-2000000000", ""), 2, "more than 1048576 hosts");
    let tree = "topology=\"FAT_TREE\" topo_parameters=\"1;2;60000;60000\"";
    assert_error(&cluster("0-1", tree), 2, "2³² nodes");
    let tree = "topology=\"FAT_TREE\" topo_parameters=\"1;2;6000;6000\"";
    assert_error(&cluster("0-1", tree), 2, "144000000 links");
    let tree = "topology=\"FAT_TREE\" topo_parameters=\"2;2;1;1\"";
    assert_error(&cluster("0-1", tree), 2, "as many counts as levels");
    let torus = "topology=\"TORUS\" topo_parameters=\"70000,70000,70000\"";
    assert_error(&cluster("0-1", torus), 2, "more than 2³² hosts");
    assert_error(
        &cluster("0-1", "topology=\"TORUS\" topo_parameters=\"2,2\""),
        2,
        "needs 4 hosts",
    );
    let fly = "topology=\"DRAGONFLY\" topo_parameters=\"3,1;1,1;2,1;1\"";
    assert_error(&cluster("0-9", fly), 2, "at least 3 routers");
    assert_error(&cluster("a-b", ""), 2, "neither a number nor a range");
    assert_error(&cluster("0-9,3", ""), 2, "used twice");
}

#[test]
fn links_without_room_are_named() {
    for rate in ["0", "-1MBps", "0Bps", "1e999Bps"] {
        let link = format!("<link id=\"l\" bandwidth=\"{rate}\" latency=\"0\"/>");
        assert_error(
            &zone("Full", &link),
            3,
            "a link carries a finite, positive rate",
        );
    }
    let link = |rate: &str, latency: &str| {
        zone(
            "Full",
            &format!("<link id=\"l\" bandwidth=\"{rate}\" latency=\"{latency}\"/>"),
        )
    };
    assert_error(&link("NaN", "0"), 3, "must be a number with a unit");
    assert_error(&link("1GB", "0"), 3, "unknown unit `GB`");
    assert_error(&link("1Bps", "-1us"), 3, "finite and not negative");
    assert_error(&link("1Bps", "1 us ago"), 3, "unknown unit `us ago`");
    assert_error(
        &zone("Full", "<link id=\"l\"/>"),
        3,
        "`link` has no `bandwidth`",
    );
}

#[test]
fn routes_between_nothing_are_named() {
    let route = |rest: &str| {
        zone(
            "Floyd",
            &format!(
                "{TWO_HOSTS}<link id=\"l\" bandwidth=\"1Bps\"/>\n\
                 <link id=\"s\" bandwidth=\"1Bps\" sharing_policy=\"SPLITDUPLEX\"/>\n{rest}"
            ),
        )
    };
    let over = |ends: &str, links: &str| route(&format!("<route {ends}>{links}</route>"));
    let ab = "src=\"a\" dst=\"b\"";
    assert_error(
        &over("src=\"a\" dst=\"x\"", "<link_ctn id=\"l\"/>"),
        5,
        "the name `x`",
    );
    assert_error(
        &over(ab, "<link_ctn id=\"x\"/>"),
        5,
        "no link before this line",
    );
    assert_error(&over(ab, "<link_ctn id=\"s\"/>"), 5, "split by direction");
    assert_error(
        &over(ab, "<link_ctn id=\"l\" direction=\"UP\"/>"),
        5,
        "one direction for both ways",
    );
    assert_error(&over(ab, ""), 5, "has no links");
    assert_error(
        &over("src=\"z\" dst=\"b\"", "<link_ctn id=\"l\"/>"),
        5,
        "`z` stands in zone `(none)`",
    );
    let twice = "<route src=\"a\" dst=\"b\"><link_ctn id=\"l\"/></route>\n\
                 <route src=\"b\" dst=\"a\"><link_ctn id=\"l\"/></route>";
    assert_error(&route(twice), 6, "exists already");
    assert_error(&route("<host id=\"a\"/>"), 5, "used twice");
    assert_error(
        &route("<link id=\"s_UP\" bandwidth=\"1Bps\"/>"),
        5,
        "used twice for links",
    );
    assert_error(
        &route("<zone id=\"y\" routing=\"Full\"/>"),
        5,
        "holds hosts or routers",
    );
    assert_error(&route("<peer id=\"p\"/>"), 5, "`peer` is not supported");
    assert_error(&route("<hots id=\"p\"/>"), 5, "`hots` is no element");
    assert_error(
        &route("<backbone id=\"bb\" bandwidth=\"1Bps\" latency=\"0\"/>"),
        5,
        "routing Cluster",
    );
    assert_error(&zone("Vivaldi", ""), 2, "routing Vivaldi is not supported");
    assert_error(&zone("Random", ""), 2, "must be Full, Floyd");
}

/// Two zones of one host each, and what connects them on line 5.
fn two_zones(connection: &str) -> String {
    zone(
        "Full",
        &format!(
            "<zone id=\"x\" routing=\"Full\"><host id=\"a\" speed=\"1f\"/></zone>\n\
             <zone id=\"y\" routing=\"Full\"><host id=\"b\" speed=\"1f\"/><link id=\"l\" bandwidth=\"1Bps\"/></zone>\n\
             {connection}"
        ),
    )
}

#[test]
fn gateways_stand_inside_their_zones() {
    let over = |element: &str, ends: &str| {
        two_zones(&format!(
            "<{element} {ends}><link_ctn id=\"l\"/></{element}>"
        ))
    };
    let xy = "src=\"x\" dst=\"y\"";
    assert_error(&over("zoneRoute", xy), 5, "has no `gw_src`");
    let swapped = format!("{xy} gw_src=\"b\" gw_dst=\"a\"");
    assert_error(
        &over("zoneRoute", &swapped),
        5,
        "`b` does not stand in zone `x`",
    );
    assert_error(
        &over("bypassZoneRoute", &swapped),
        5,
        "`b` does not stand in zone `x`",
    );
    let zones = format!("{xy} gw_src=\"x\" gw_dst=\"b\"");
    assert_error(&over("zoneRoute", &zones), 5, "the gateway `x` is a zone");
    let hosts = "src=\"a\" dst=\"b\" gw_src=\"a\" gw_dst=\"b\"";
    assert_error(&over("zoneRoute", hosts), 5, "`a` stands in zone `x`");
    let itself = "src=\"x\" dst=\"x\" gw_src=\"a\" gw_dst=\"a\"";
    assert_error(&over("zoneRoute", itself), 5, "at both ends");
    assert_error(&over("route", xy), 5, "a route of hosts ends at zone `x`");
    assert_error(
        &two_zones("<host id=\"c\" speed=\"1f\"/>"),
        5,
        "holds zones",
    );
    assert!(
        read(&over(
            "zoneRoute",
            &format!("{xy} gw_src=\"a\" gw_dst=\"b\"")
        ))
        .is_ok()
    );
}

#[test]
fn hosts_that_nothing_connects_are_told_apart_from_those_that_routes_reach() {
    use cluster::Topology;
    use units::HostId;

    let text = two_zones("");
    let platform = read(&text).unwrap().platform;
    let [a, b] = [HostId::new(0), HostId::new(1)];
    assert_eq!((platform.n_ways(a, b), platform.n_ways(a, a)), (0, 1));
    let error = platform.route(a, b).unwrap_err();
    assert_eq!(
        error.to_string(),
        "zone `z` names no gateways between `x` and `y`"
    );
    let partitioned = zone("Floyd", TWO_HOSTS);
    let platform = read(&partitioned).unwrap().platform;
    let error = platform.route(a, b).unwrap_err();
    assert_eq!(error.to_string(), "zone `z` has no route from `a` to `b`");
}

#[test]
fn what_has_no_effect_is_named() {
    let text = "<platform version=\"4\">\n<config><prop id=\"network/TCP-gamma\" value=\"1\"/></config>\n\
        <zone id=\"z\" routing=\"Full\">\n<host id=\"a\" speed=\"1f\" core=\"4\"><prop id=\"x\" value=\"y\"/></host>\n\
        <host id=\"b\" speed=\"1f\"/></zone>\n<actor host=\"a\" function=\"f\"><argument value=\"1\"/></actor></platform>";
    let ignored = read(text).unwrap().ignored;
    let ignored: Vec<String> = ignored.iter().map(ToString::to_string).collect();
    let expected = [
        "actor (line 6)",
        "config network/TCP-gamma (line 2)",
        "host core (line 4)",
        "host speed (2 times, first on line 4)",
        "prop (line 4)",
    ];
    assert_eq!(ignored, expected);
}
