//! The graph of the cluster: groups that unfold, hot links, one playhead, two policies.

use crate::common::Person;
use egui_kittest::kittest::Queryable as _;
use units::SimTime;
use viewer::command::Command;
use viewer::dialogs::Typed;
use viewer::keep::Keeper;
use viewer::layout::Pane;
use viewer::views::topology;
use viewer::worker::{Mode, Slot};

/// 64 hosts under 8 leaves and 8 spines, on the quick engine.
fn scenario(name: &str) -> std::path::PathBuf {
    scenario_with(name, "workload.bytes", "1 MiB")
}

/// The same with another value of a field.
fn scenario_with(name: &str, field: &str, value: &str) -> std::path::PathBuf {
    let draft = session::Draft::example("spray-vs-singlepath").expect("an example");
    let draft = draft.set("settings.engine", "flow").expect("a field");
    let draft = draft.set(field, value).expect("a field");
    let folder = std::env::temp_dir().join(format!("windtunnel-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("leaf-spine.toml");
    std::fs::write(&file, draft.text()).expect("a file");
    file
}

fn with(person: &mut Person, name: &str) {
    person.send(Command::Open(scenario(name)));
    person.send(Command::Show(Pane::Topology));
    let errors = person.state().notices.errors();
    assert!(errors.is_empty(), "{errors:?}");
}

fn person(name: &str) -> Person {
    let mut person = Person::new();
    with(&mut person, name);
    person
}

fn send(person: &mut Person, command: topology::Command) {
    person.send(Command::Topology(command));
}

#[test]
fn while_the_run_goes_on_the_graph_says_so() {
    let mut person = Person::with(Mode::Held, Typed, Keeper::nothing());
    person
        .harness
        .state_mut()
        .send(Command::Open(scenario("held")));
    person.harness.run_steps(2);
    person.harness.state_mut().worker().release();
    person.harness.run_steps(2);
    person
        .harness
        .state_mut()
        .send(Command::Show(Pane::Topology));
    person.harness.run_steps(2);
    let told = person.harness.query_all_by_label_contains("Simulating");
    assert_eq!(told.count(), 3, "in the pane, in the ledger and below");
    let stops = person.harness.query_all_by_label_contains("Stop run");
    assert_eq!(stops.count(), 1);
}

#[test]
fn a_folded_group_unfolds_by_a_click_and_folds_again() {
    let mut person = person("fold");
    assert!(person.sees("Unfold leaf group 0"));
    assert!(!person.sees("Unfold n0"));
    person.click_containing("Unfold leaf group 0");
    assert!(person.sees("Fold leaf group 0"));
    assert!(person.sees("Unfold n0"));
    assert!(!person.sees("Unfold n8"));
    person.click_containing("Fold leaf group 0");
    assert!(!person.sees("Unfold n0"));
    person.send(Command::UndoView);
    assert!(person.sees("Unfold n0"), "previous view brings folds back");
}

#[test]
fn hot_links_are_listed_and_one_that_is_selected_tells_what_it_is() {
    let mut person = person("hot");
    assert!(person.sees("Table of Hot links"));
    let scene = &person.state().results.topology.scenes[0];
    let window = person.state().view.now().timeline.camera.window();
    let table = topology::hot(scene, None, &window);
    assert!(!table.rows.is_empty());
    let shares: Vec<f64> = table
        .rows
        .iter()
        .filter_map(|row| row.cells[1].value())
        .collect();
    assert!(shares.is_sorted_by(|a, b| b <= a), "{shares:?}");
    let first =
        scene.side.loads.classes[usize::try_from(table.rows[0].id).expect("a class")].clone();
    send(
        &mut person,
        topology::Command::Select(first.members.first().copied()),
    );
    assert!(person.sees(&format!("Link {} {}", first.name, first.direction)));
    assert!(person.sees("Carried"));
    assert!(person.sees("Show its lane in the timeline"));
    person.click("Show its lane in the timeline");
    let view = person.state().view.now();
    assert_eq!(view.front, Pane::Timeline);
    assert_eq!(view.timeline.pinned.len(), 1);
}

#[test]
fn the_playhead_decides_how_full_links_are() {
    let mut person = person("playhead");
    let shares = |person: &Person| {
        let state = person.state();
        let view = &state.view.now().timeline;
        let scene = &state.results.topology.scenes[0];
        let shares = scene.shares(view.playhead, &view.camera.window());
        let cables = 0..scene.graph.view.cables.len();
        let halves = cables.flat_map(|cable| [(cable, 0), (cable, 1)]);
        halves
            .map(|(cable, direction)| scene.fullest(cable, direction, &shares))
            .fold(0.0, f64::max)
    };
    let mean = shares(&person);
    assert!(0.0 < mean && mean <= 1.0 + 1e-9, "{mean}");
    let end = person.state().results.topology.scenes[0].side.loads.end;
    send(
        &mut person,
        topology::Command::Playhead(Some(SimTime::from_picos(end.as_picos() / 3))),
    );
    assert!(0.5 < shares(&person));
    send(&mut person, topology::Command::Playhead(Some(end)));
    assert!(shares(&person).abs() < 1e-12, "nothing moves after the end");
    person.click("Mean over the window");
    assert_eq!(person.state().view.now().timeline.playhead, None);
    assert!((shares(&person) - mean).abs() < 1e-12);
}

#[test]
fn two_policies_are_compared_at_one_moment() {
    let mut person = person("policies");
    person.click("Compare policies");
    let found = &person.state().results.topology;
    let policies = found.comparison.done().expect("both runs");
    let [first, second] = policies.times();
    assert!(0.0 < first && 0.0 < second);
    assert_eq!(found.scenes.len(), 2);
    assert_eq!(found.scenes[0].side.name, "spray");
    assert!(person.sees("singlepath against spray"));
    assert!(person.sees("Unfold leaf group 0: 8 nodes, 8 GPUs, spray") || person.sees(", spray"));
    person.click("Compare policies");
    assert_eq!(person.state().results.topology.scenes.len(), 1);
}

/// A link that both policies load.
fn loaded_link(person: &Person) -> units::LinkId {
    let scenes = &person.state().results.topology.scenes;
    let of_both = |link: &&units::LinkId| {
        let mut sides = scenes.iter().map(|scene| &scene.side.loads);
        sides.all(|loads| loads.class_of(**link).is_some())
    };
    let mut classes = scenes[0].side.loads.classes.iter();
    let found = classes.find_map(|class| class.members.iter().find(of_both));
    *found.expect("a link that both load")
}

#[test]
fn the_card_is_of_the_graph_that_was_clicked() {
    let mut person = person("clicked");
    person.click("Compare policies");
    let link = loaded_link(&person);
    let select = topology::Command::Select(Some(link));
    send(
        &mut person,
        topology::Command::In(1, Box::new(select.clone())),
    );
    assert!(person.sees("Under singlepath"));
    assert!(
        person.sees("Under spray "),
        "the same link of the other one"
    );
    // The scenario is one of a single path, so that its timeline is that of the second graph.
    assert!(person.sees("Show its lane in the timeline"));
    send(&mut person, select);
    assert!(person.sees("Under spray"));
    assert!(person.sees("The timeline shows another run"));
    assert!(!person.sees("Show its lane in the timeline"));
}

#[test]
fn a_click_on_the_second_graph_selects_in_it() {
    let mut person = person("second");
    person.click("Compare policies");
    let node = person
        .harness
        .get_by_label_contains("spine0, spine switch, singlepath");
    node.click();
    person.settle();
    let view = &person.state().view.now().topology;
    assert_eq!((view.graph, view.part.as_deref()), (1, Some("spine0")));
    assert!(person.sees("Under singlepath"));
}

#[test]
fn a_comparison_is_over_each_whole_run_and_says_so_on_paper() {
    let mut person = person("each");
    assert!(person.sees("mean over the whole run"));
    person.click("Compare policies");
    assert!(person.sees("mean over each whole run"));
    let figure = topology::figure(person.state()).expect("a graph")();
    let caption = figure.caption.line();
    assert!(caption.contains("under spray and singlepath"), "{caption}");
    assert!(
        figure.title.contains("mean over each whole run"),
        "{}",
        figure.title
    );
    // Every cell of the table is over its own run.
    let table = figure.table();
    let scenes = &person.state().results.topology.scenes;
    for scene in scenes {
        let shares = scene.shares(None, &(SimTime::ZERO..scene.side.end));
        let most = shares.into_iter().fold(0.0, f64::max);
        let own = table
            .rows
            .iter()
            .filter(|row| row.cells[0] == scene.side.name.as_str().into());
        let told = own
            .filter_map(|row| row.cells[3].value())
            .fold(0.0, f64::max);
        assert!((most - told).abs() < 1e-9, "{most} {told}");
    }
    let camera = person.state().view.now().timeline.camera;
    let look = ::timeline::Camera::new(0, camera.span() / 2, camera.end());
    let look = ::timeline::TimelineCommand::Look(look);
    person.send(Command::Timeline(viewer::views::timeline::Command::Widget(
        look,
    )));
    assert!(person.sees("mean from 0 s to "));
}

#[test]
fn a_comparison_of_packets_names_their_transport() {
    let mut person = Person::with_example("spray-vs-singlepath");
    person.send(Command::Show(Pane::Topology));
    person.click("Compare policies");
    assert!(person.sees("Transport dcqcn-gbn, reads reordered packets as lost"));
}

#[test]
fn play_ends_where_the_longer_of_two_policies_does() {
    let mut person = person("play");
    person.click("Compare policies");
    let ends = |person: &Person| {
        let scenes = &person.state().results.topology.scenes;
        scenes.iter().map(|scene| scene.side.end).max()
    };
    let end = ends(&person).expect("two graphs");
    let near = SimTime::from_picos(end.as_picos() - end.as_picos() / 1_000);
    send(&mut person, topology::Command::Playhead(Some(near)));
    send(&mut person, topology::Command::TogglePlay);
    person.harness.run_steps(30);
    assert!(!person.state().playing);
    assert_eq!(person.state().view.now().timeline.playhead, Some(end));
}

#[test]
fn a_card_is_called_as_the_link_that_was_clicked() {
    let mut person = Person::with_example("llama3-70b-dgx-h100");
    person.send(Command::Show(Pane::Topology));
    let scene = person.state().results.topology.scenes[0].clone();
    let mut classes = scene.side.loads.classes.iter();
    let class = classes
        .find(|class| 4 < class.members.len())
        .expect("links that are alike");
    let fifth = class.members[4];
    send(&mut person, topology::Command::Select(Some(fifth)));
    let name = scene.side.fabric.link_name(fifth);
    assert_ne!(name, format!("{} {}", class.name, class.direction));
    assert!(person.sees(&format!("Link {name}")));
    let n = class.members.len();
    let like = format!(
        "One of {n} that carried the same like {} {}",
        class.name, class.direction
    );
    assert!(person.sees(&like), "{like}");
}

#[test]
fn tables_of_another_scenario_open_at_the_top() {
    let mut person = person("scrolled");
    let cables = topology::Command::Show(topology::Tab::Cables);
    send(&mut person, cables.clone());
    let sees = |person: &Person| {
        let graph = &person.state().results.topology.scenes[0].graph;
        person.sees(&format!("{}, Links", graph.way(0, 0)))
    };
    assert!(sees(&person));
    let table = person.harness.get_by_label_contains("Table of Cables");
    let middle = table.rect().center();
    person.harness.hover_at(middle);
    person.harness.run_steps(2);
    person.harness.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(0.0, -900.0),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Unknown,
        modifiers: egui::Modifiers::NONE,
    });
    person.harness.run_steps(40);
    assert!(!sees(&person), "it is scrolled");
    let other = scenario_with("other", "workload.bytes", "2 MiB");
    person.send(Command::Open(other));
    person.send(Command::Show(Pane::Topology));
    send(&mut person, cables);
    assert!(sees(&person));
}

#[test]
fn nothing_is_called_not_modelled_where_everything_is() {
    let mut person = Person::with_example("llama3-8b-dgx-h100");
    person.send(Command::Show(Pane::Topology));
    let legend = |person: &Person| {
        let figure = topology::figure(person.state()).expect("a graph")();
        match figure.content {
            chart::Content::Diagram(diagram) => diagram.legend.len(),
            _ => 0,
        }
    };
    send(&mut person, topology::Command::FoldAll);
    let scene = person.state().results.topology.scenes[0].clone();
    let known = (0..scene.graph.view.cables.len())
        .flat_map(|at| [0, 1].map(|way| (at, way)))
        .all(|(at, way)| scene.load(at, way, &[]).is_some());
    assert_eq!(legend(&person), if known { 4 } else { 5 });
}

#[test]
fn a_comparison_can_be_stopped_and_run_again() {
    let mut person = Person::with(Mode::Held, Typed, Keeper::nothing());
    let release = |person: &mut Person| {
        for _ in 0..4 {
            person.harness.run_steps(2);
            person.harness.state_mut().worker().release();
        }
        person.harness.run_steps(2);
    };
    let send = |person: &mut Person, command: Command| {
        person.harness.state_mut().send(command);
        person.harness.run_steps(2);
    };
    send(&mut person, Command::Open(scenario("stopped")));
    send(&mut person, Command::Show(Pane::Topology));
    release(&mut person);
    let names = ["spray", "singlepath"].map(str::to_owned);
    let compare = topology::Command::Compare(Some(names));
    send(&mut person, Command::Topology(compare));
    assert!(person.sees("Simulating spray and singlepath"));
    person.harness.get_by_label("Stop comparison").click();
    person.harness.run_steps(2);
    release(&mut person);
    assert!(person.sees("The comparison was stopped"));
    assert!(person.state().notices.errors().is_empty());
    person.harness.get_by_label("Run both policies").click();
    person.harness.run_steps(2);
    release(&mut person);
    assert!(person.state().results.topology.comparison.done().is_some());
    let going = person.harness.state_mut().worker().going();
    assert!(!going.contains_key(&Slot::Policies));
}

#[test]
fn links_that_an_engine_does_not_model_are_not_idle() {
    let mut person = Person::with_example("llama3-70b-does-not-fit");
    person.send(Command::Show(Pane::Topology));
    let scene = person.state().results.topology.scenes[0].clone();
    let window = person.state().view.now().timeline.camera.window();
    let shares = scene.shares(None, &window);
    let n = scene.graph.view.cables.len();
    assert!(0 < n);
    assert!((0..n).all(|cable| scene.load(cable, 0, &shares).is_none()));
    assert!(scene.why_unknown().contains("not modelled by the analytic"));
    let link = scene.graph.view.cables[0].links[0].first().copied();
    send(&mut person, topology::Command::Select(link));
    assert!(person.sees("not modelled by the analytic engine"));
    assert!(!person.sees("It carried nothing"));
    send(&mut person, topology::Command::Show(topology::Tab::Cables));
    assert!(person.sees("State not modelled"));
}

#[test]
fn what_stays_in_a_domain_loads_no_link_and_none_is_called_idle() {
    let mut person = Person::with_example("llama3-8b-dgx-h100");
    person.send(Command::Show(Pane::Topology));
    let scene = person.state().results.topology.scenes[0].clone();
    let node = session::GroupId::Node(0);
    let is_open = scene.graph.plan.frames.contains_key(&node);
    if !is_open {
        send(&mut person, topology::Command::Toggle(node));
    }
    let scene = &person.state().results.topology.scenes[0];
    let is_nvlink = |part: &session::Part| scene.graph.name(*part).ends_with("sw");
    let cables = scene.graph.view.cables.iter().enumerate();
    let nvlinks: Vec<usize> = cables
        .filter(|(_, cable)| cable.ends.iter().any(is_nvlink))
        .map(|(at, _)| at)
        .collect();
    assert!(!nvlinks.is_empty());
    assert!(nvlinks.iter().all(|at| scene.load(*at, 0, &[]).is_none()));
    let others = (0..scene.graph.view.cables.len()).filter(|at| !nvlinks.contains(at));
    assert!(
        others
            .into_iter()
            .all(|at| scene.load(at, 0, &[]).is_some())
    );
}

#[test]
fn a_device_and_a_group_have_a_card() {
    let mut person = person("part");
    person.click_containing("Unfold leaf group 0");
    assert!(person.sees("Fold it"));
    assert!(person.sees("8 nodes"));
    person.click_containing("spine0, spine switch");
    assert!(person.sees("Close card"));
    assert!(person.sees("spine0 to leaf0"));
    let view = person.state().view.now();
    assert_eq!(view.topology.part.as_deref(), Some("spine0"));
    person.click("Close card");
    assert_eq!(person.state().view.now().topology.part, None);
}

#[test]
fn the_timeline_of_a_workload_has_its_flows_and_its_links() {
    let mut person = person("flows");
    person.send(Command::Show(Pane::Timeline));
    assert!(!person.sees("Nothing ran"));
    let run = person.state().results.current.clone().expect("a run");
    assert_eq!(run.trace.lanes.len(), 64);
    assert!(!run.trace.links.is_empty());
    let end = run.timeline.end();
    assert_eq!(run.trace.spans.last().map(|span| span.end), Some(end));
    let side = &person.state().results.topology.scenes[0].side;
    assert_eq!(side.end, end, "one end everywhere");
    assert!(person.sees("Links · "));
}

/// A scenario of permutation traffic over a fabric.
fn over(name: &str, cluster: &str) -> topology::Graph {
    let text = format!(
        "schema = 1\n[workload]\ncollective = \"permutation\"\nbytes = \"1 MiB\"\n[cluster]\n{cluster}\n[settings]\nengine = \"flow\"\n"
    );
    let folder = std::env::temp_dir().join(format!("windtunnel-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("fabric.toml");
    std::fs::write(&file, text).expect("a file");
    let mut person = Person::new();
    person.send(Command::Open(file));
    person.send(Command::Show(Pane::Topology));
    let errors = person.state().notices.errors();
    assert!(errors.is_empty(), "{errors:?}");
    let graph = &person.state().results.topology.scenes[0].graph;
    topology::Graph::clone(graph)
}

/// Nothing lies on anything else, and no cable leads behind a box that it does not end at.
fn is_tidy(graph: &topology::Graph) {
    let places: Vec<_> = graph.plan.places.iter().collect();
    assert!(places.len() > 8);
    for (at, (a, one)) in places.iter().enumerate() {
        for (b, other) in &places[at + 1..] {
            assert!(
                !one.shrink(0.1).intersects(other.shrink(0.1)),
                "{a:?} {b:?}"
            );
        }
    }
    let straight = graph.view.cables.iter().zip(&graph.ways);
    for (cable, way) in straight {
        let way = way.expect("both ends are drawn");
        let middle = way.at(0.5);
        let behind = places
            .iter()
            .filter(|(part, rect)| !cable.ends.contains(part) && rect.contains(middle));
        assert!(way.bend.is_some() || behind.count() == 0, "{}", cable.name);
    }
}

#[test]
fn routers_of_a_torus_lie_in_their_grid() {
    let graph = over(
        "torus",
        "nodes = [{ kind = \"host-100g\", count = 12 }]\n[cluster.fabric]\nname = \"t\"\nkind = \"torus\"\ndimensions = [4, 3]\nlink_latency = \"1 us\"\nswitch_latency = \"0 ns\"",
    );
    is_tidy(&graph);
    let at = |name: &str| {
        let part = graph.names.iter().find(|(_, own)| *own == name);
        graph.plan.places[part.expect("a router").0].center()
    };
    let same = |a: f32, b: f32| assert!((a - b).abs() < 1.0, "{a} {b}");
    same(at("router0").y, at("router3").y);
    same(at("router1").x, at("router9").x);
    assert!(at("router0").x < at("router1").x);
    assert!(at("router0").y < at("router4").y);
}

#[test]
fn groups_of_a_dragonfly_and_switches_of_a_graph_lie_on_a_ring() {
    let dragonfly = over(
        "dragonfly",
        "nodes = [{ kind = \"host-100g\", count = 36 }]\n[cluster.fabric]\nname = \"d\"\nkind = \"dragonfly\"\ngroups = 9\nrouters_per_group = 4\nnodes_per_router = 1\nglobal_links = 2\nlink_latency = \"1 us\"\nswitch_latency = \"0 ns\"",
    );
    is_tidy(&dragonfly);
    let petersen = over("petersen", "name = \"petersen\"");
    is_tidy(&petersen);
    assert!(petersen.plan.bands.is_empty());
}

#[test]
fn an_engine_without_links_says_so_and_offers_one_that_has() {
    let mut person = Person::with_example("llama3-70b-does-not-fit");
    person.send(Command::Show(Pane::Topology));
    assert!(person.sees("The analytic engine knows no links"));
    person.click("Simulate with flow");
    assert!(!person.sees("knows no links"));
    let draft = person.state().draft().unwrap();
    assert_eq!(draft.value("settings.engine").as_deref(), Some("flow"));
}

#[test]
fn the_camera_comes_back_with_the_previous_view() {
    let mut person = person("camera");
    let camera = topology::Camera {
        x: 10.0,
        y: 20.0,
        zoom: 2.0,
    };
    send(&mut person, topology::Command::Look(Some(camera)));
    assert_eq!(person.state().view.now().topology.camera, Some(camera));
    person.click("Whole graph");
    assert_eq!(person.state().view.now().topology.camera, None);
}
