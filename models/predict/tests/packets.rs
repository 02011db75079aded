//! Iterations on the packet engine, with ways that are chosen, and beside other jobs.

mod neutral;

use cluster::{Cluster, ClusterSpec, example};
use network::packet::{Balancing, Config, Transport};
use plan::{PlanSpec, ScheduleKind, ShardLevel};
use predict::{
    Beside, Engine, Fabric, Links, Outcome, Record, Repeated, Scenario, predict, predict_links,
};
use profile::CollectiveKind;
use traffic::{Policy, Split};
use units::{Bytes, Control, GpuId, Seconds};

/// A model of four layers with the shapes of Llama 3 8B.
const FOUR_LAYERS: &str = r#"{
    "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336,
    "num_hidden_layers": 4, "num_attention_heads": 32, "num_key_value_heads": 8,
    "vocab_size": 32000, "max_position_embeddings": 8192, "rms_norm_eps": 1e-5,
    "hidden_act": "silu", "tie_word_embeddings": false
}"#;

fn scenario(cluster: &ClusterSpec, spec: &PlanSpec) -> Scenario {
    let cluster = Cluster::build(cluster).expect("a sound cluster");
    let job = neutral::job(FOUR_LAYERS, 32, 2048);
    let scenario = neutral::scenario(cluster, job, spec).expect("a plan that fits");
    Scenario {
        name: "four layers".to_owned(),
        ..scenario
    }
}

/// Tensor parallel in a node, data parallel between nodes.
fn tp8() -> PlanSpec {
    PlanSpec {
        tp: Some(8),
        sp: Some(true),
        micro_batch: Some(4),
        shard: Some(ShardLevel::ZERO_1.to_vec()),
        ..PlanSpec::default()
    }
}

fn tp8_pp2() -> PlanSpec {
    PlanSpec {
        pp: Some(2),
        schedule: Some(ScheduleKind::OneFOneB),
        ..tp8()
    }
}

fn on(mut scenario: Scenario, engine: Engine, fabric: Fabric) -> Scenario {
    scenario.settings.engine = engine;
    scenario.settings.fabric = fabric;
    scenario
}

fn run(scenario: &Scenario) -> Outcome {
    predict(scenario, Record::Totals, &Control::new()).expect("a run that ends")
}

fn links(scenario: &Scenario) -> Links {
    let outcome = predict_links(scenario, Record::Totals, &Control::new());
    outcome.expect("a run that ends").links.expect("links")
}

fn time(scenario: &Scenario) -> f64 {
    run(scenario).prediction.iteration_time_s
}

/// Packets of a transport under static routing.
fn packets(transport: Transport) -> Fabric {
    Fabric {
        packets: Config::new(transport, Balancing::SinglePath),
        ..Fabric::default()
    }
}

/// Leaves and spines with a quarter of the capacity between them.
fn oversubscribed(nodes: u32) -> ClusterSpec {
    let mut spec = example::cluster(
        example::dgx_h100(),
        nodes,
        example::fabric(cluster::FabricKind::LeafSpine),
    );
    spec.fabric.oversubscription = vec![4.0];
    spec.fabric.nodes_per_leaf = 1;
    spec
}

#[test]
fn packets_and_shared_links_agree_within_headers_on_an_idle_network() {
    for plan in [tp8(), tp8_pp2()] {
        let scenario = scenario(&example::dgx_h100s(2), &plan);
        let flow = time(&on(scenario.clone(), Engine::Flow, Fabric::default()));
        for transport in Transport::ALL {
            let packet = time(&on(scenario.clone(), Engine::Packet, packets(transport)));
            let ratio = packet / flow;
            assert!(
                (0.995..1.04).contains(&ratio),
                "{transport:?}: packets over flows {ratio}"
            );
        }
    }
}

#[test]
fn a_narrow_spine_slows_packets_and_flows_alike() {
    let wide = scenario(&example::dgx_h100s(4), &tp8());
    let narrow = scenario(&oversubscribed(4), &tp8());
    let slower = |engine| {
        let of = |scenario: &Scenario| time(&on(scenario.clone(), engine, Fabric::default()));
        of(&narrow) / of(&wide)
    };
    let (flow, packet) = (slower(Engine::Flow), slower(Engine::Packet));
    assert!(1.1 < flow, "{flow}");
    assert!((packet / flow - 1.0).abs() < 0.05, "{packet} {flow}");
}

#[test]
fn equal_seeds_give_equal_iterations() {
    let fabric = Fabric {
        packets: Config::new(Transport::Uec, Balancing::Reps),
        ..Fabric::default()
    };
    let scenario = on(scenario(&oversubscribed(2), &tp8()), Engine::Packet, fabric);
    assert_eq!(run(&scenario), run(&scenario));
    assert_eq!(links(&scenario), links(&scenario));
}

#[test]
fn spreading_over_all_ways_is_never_slower_than_one_way_by_a_hash() {
    let scenario = scenario(&oversubscribed(4), &tp8());
    let with = |policy| {
        let fabric = Fabric {
            policy,
            ..Fabric::default()
        };
        time(&on(scenario.clone(), Engine::Flow, fabric))
    };
    let (hash, spray) = (with(Policy::Ecmp), with(Policy::Spray));
    assert!(spray < hash, "{spray} {hash}");
    for even in [Split::Equal, Split::Fewest] {
        let split = with(Policy::SinglePath(even));
        assert!((split / spray - 1.0).abs() < 0.01, "{split} {spray}");
    }
    let pairs = with(Policy::EcmpK(16));
    assert!(spray <= pairs && pairs < hash, "{pairs}");
}

#[test]
fn links_carry_every_byte_that_leaves_a_domain() {
    let scenario = scenario(&example::dgx_h100s(2), &tp8_pp2());
    let flows = links(&on(scenario.clone(), Engine::Flow, Fabric::default()));
    let packets = links(&on(scenario, Engine::Packet, packets(Transport::Ideal)));
    let nics = |links: &Links, kind: &str| -> f64 {
        let nics = links.links.iter().filter(|link| link.name.contains("nic"));
        let loads = nics.flat_map(|link| link.loads.iter().map(|load| (link.count, load)));
        let own = loads.filter(|(_, load)| load.what() == kind);
        own.map(|(count, load)| load.bytes * f64::from(count)).sum()
    };
    let ratio = nics(&packets, "pp") / nics(&flows, "pp");
    assert!((1.0..1.05).contains(&ratio), "{ratio}");
    for link in flows.links.iter().chain(&packets.links) {
        assert!(link.utilisation <= 1.0 + 1e-9, "{}", link.name);
        let sum: f64 = link.loads.iter().map(|load| load.bytes).sum();
        assert!((sum / link.bytes - 1.0).abs() < 1e-9);
    }
}

fn half(first: u32) -> Scenario {
    let mut half = scenario(
        &oversubscribed(4),
        &PlanSpec {
            dp: Some(2),
            ..tp8()
        },
    );
    half.plan = half
        .plan
        .starting_at(first, 32)
        .expect("GPUs of the cluster");
    half
}

#[test]
fn jobs_that_share_no_link_take_as_long_as_alone() {
    for engine in [Engine::Flow, Engine::Packet] {
        let mut scenario = on(half(0), engine, Fabric::default());
        let mut wide = Cluster::build(&example::dgx_h100s(4)).expect("a sound cluster");
        std::mem::swap(&mut scenario.cluster, &mut wide);
        let mut other = half(16);
        other.cluster = scenario.cluster.clone();
        scenario.beside = vec![Beside::Job(Box::new(other))];
        let jobs = run(&scenario).prediction.jobs;
        assert_eq!(jobs.len(), 2);
        for job in jobs {
            assert_eq!(job.gpus, 16);
            let ratio = job.iteration_time_s / job.alone_s;
            assert!((ratio - 1.0).abs() < 1e-3, "{engine:?}: {ratio}");
        }
    }
}

#[test]
fn a_collective_beside_a_job_slows_it_on_links_that_both_use() {
    for engine in [Engine::Flow, Engine::Packet] {
        let mut scenario = on(half(0), engine, Fabric::default());
        // Fewer packets: what matters is who shares which link.
        scenario.settings.fabric.packets.payload = 32 << 10;
        let alone = time(&scenario);
        scenario.beside = vec![Beside::Collective(Repeated {
            name: "alltoall".to_owned(),
            gpus: (0..32).map(GpuId::new).collect(),
            kind: CollectiveKind::AllToAll,
            bytes: Bytes::new(32 << 20),
            every: Seconds::from_millis(2.0),
        })];
        let outcome = run(&scenario);
        let job = &outcome.prediction.jobs[0];
        assert!((job.alone_s / alone - 1.0).abs() < 1e-9);
        assert!(1.02 * alone < job.iteration_time_s, "{engine:?}: {job:?}");
        let loaded = links(&scenario);
        let what = |kind: &str| {
            let mut loads = loaded.links.iter().flat_map(|link| &link.loads);
            loads.any(|load| load.what() == kind)
        };
        assert!(what("dp") && what("background"));
    }
}
