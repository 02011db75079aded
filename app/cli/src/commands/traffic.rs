//! `windtunnel simulate` of a network workload.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::{Value, json};
use session::{
    Existing, Header, Keep, NetworkAnswer, Opened, Rules, TraceForm, Traffic, save, save_trace,
};

use crate::args::SimulateArgs;
use crate::commands::run::{self, catch_interrupts};
use crate::commands::scenario::refuse;
use crate::commands::simulate::n_shown_links;
use crate::commands::{Context, refuse_save};
use crate::exit::Exit;
use crate::network_explanation::in_words;
use crate::report::binding;
use crate::table::{Side, Table};
use crate::version;

/// Links that a report shows.
const SHOWN_LINKS: usize = 8;

/// Runs the workload and hands over what was found.
pub(crate) fn traffic(
    opened: &Opened,
    args: &SimulateArgs,
    form: Option<TraceForm>,
    (output, existing): (Option<&Path>, Existing),
    context: &Context,
) -> Result<Exit, Exit> {
    refuse_training_options(args, context)?;
    if form == Some(TraceForm::Wtt) {
        let text = "the timeline of a network workload has links, but no ranks for .wtt";
        context.error(text, Some("name it .json.gz or .json for Perfetto"));
        return Err(Exit::BadInput);
    }
    catch_interrupts();
    let traffic = opened
        .traffic()
        .map_err(|failures| refuse(&failures, context))?;
    for warning in &traffic.warnings {
        context.warn(warning);
    }
    let keep = if args.work.traffic.no_flows || !context.output.json {
        Keep::Totals
    } else {
        Keep::Messages
    };
    let keep = if args.links.is_some() || args.trace.is_some() {
        keep.with_loads()
    } else {
        keep
    };
    let ran = run::watched(context, "simulating", |control| {
        if args.explain {
            let explained = traffic.explain(keep, control);
            explained.map(|(answer, explanation)| (answer, Some(explanation)))
        } else {
            traffic.run(keep, control).map(|answer| (answer, None))
        }
    });
    let (answer, explanation) = ran.map_err(|error| run::stopped(&error, context))?;
    if let Some(path) = &args.links {
        let saved = traffic.save_links(path, existing, &answer);
        saved.map_err(|error| refuse_save(&error, context))?;
    }
    if let (Some(path), Some(form)) = (&args.trace, form) {
        write_trace(path, form, existing, &traffic, &answer, args, context)?;
    }
    if !context.output.json {
        let mut text = report(&traffic, &answer, context);
        if let Some(explanation) = &explanation {
            text += &binding(&in_words(explanation), &context.stdout);
        }
        return context.hand_over(&text, output, existing);
    }
    let mut more = json!({ "scenario": traffic.name, "windtunnel": version::json() });
    if let Some(explanation) = &explanation {
        more["explanation"] = explanation.to_json();
    }
    match output {
        None => Ok(context.written(|out| answer.write_json(&traffic, &more, out))),
        Some(path) => {
            let write = |out: &mut dyn Write| {
                let mut out = BufWriter::with_capacity(1 << 20, out);
                answer.write_json(&traffic, &more, &mut out)?;
                out.flush()
            };
            save(path, existing, write).map_err(|error| refuse_save(&error, context))?;
            Ok(Exit::Done)
        }
    }
}

/// What belongs to training iterations.
fn refuse_training_options(args: &SimulateArgs, context: &Context) -> Result<(), Exit> {
    let given = [
        ("--print-schedule", args.print_schedule),
        ("--unfold", args.work.over.unfold),
    ];
    for (option, is_given) in given {
        if is_given {
            let text = format!("{option} belongs to training iterations, not to network workloads");
            context.error(&text, None);
            return Err(Exit::BadInput);
        }
    }
    Ok(())
}

fn write_trace(
    path: &Path,
    form: TraceForm,
    existing: Existing,
    traffic: &Traffic,
    answer: &NetworkAnswer,
    args: &SimulateArgs,
    context: &Context,
) -> Result<(), Exit> {
    let header = Header {
        tool: format!("windtunnel {}", version::LONG),
        seed: traffic.seed,
        scenario: String::new(),
        prediction: Value::Null,
    };
    let trace = traffic.link_trace(answer, n_shown_links(args));
    let saved = save_trace(path, form, existing, &header, &trace);
    saved
        .map(drop)
        .map_err(|error| refuse_save(&error, context))
}

impl Context {
    /// Writes a long result to standard output as it is made.
    pub(crate) fn written(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Exit {
        let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
        match write(&mut out).and_then(|()| out.flush()) {
            Ok(()) => Exit::Done,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Err(error) => {
                self.error(&format!("standard output cannot be written: {error}"), None);
                Exit::Failed
            }
        }
    }
}

/// The result for people.
fn report(traffic: &Traffic, answer: &NetworkAnswer, context: &Context) -> String {
    let micros = |seconds: f64| format!("{:.3} us", seconds * 1e6);
    let makespan = answer.makespan.as_seconds().as_secs();
    let mut text = format!("# {}\n\n", traffic.name);
    let _ = writeln!(text, "Last byte arrives after  {}", micros(makespan));
    if let Some(acked) = answer.acked {
        let acked = acked.as_seconds().as_secs();
        let _ = writeln!(text, "Last acknowledgement     {}", micros(acked));
    }
    if context.output.quiet {
        return text;
    }
    let _ = writeln!(
        text,
        "Flows                    {}{}",
        traffic.program.n_messages(),
        of_pieces(answer)
    );
    if let [Some(own), ideal] = answer.congestion {
        let own = own.as_secs();
        let _ = write!(text, "Fullest link             {} of traffic", micros(own));
        let _ = match ideal {
            Some(ideal) if 0.0 < ideal.as_secs() => {
                writeln!(text, ", {:.3} times ideal spraying", own / ideal.as_secs())
            }
            _ => writeln!(text),
        };
    }
    if let Some(counts) = &answer.packets {
        let totals = &counts.totals;
        let _ = writeln!(
            text,
            "Packets                  {} sent, {} of them again; {} trimmed, {} lost, {} marked, {} out of order",
            totals.sent,
            totals.resent,
            totals.trimmed,
            totals.dropped,
            totals.marked,
            totals.reordered
        );
    }
    let engine = match &traffic.rules {
        Rules::Flow { .. } => "flow: max-min fair shares",
        Rules::Packet { .. } => "packet",
    };
    let _ = writeln!(text, "Engine                   {engine}");
    let _ = write!(text, "\n{}", links(answer, context.stdout.width));
    for assumed in &traffic.assumptions {
        let _ = writeln!(
            text,
            "\nassumed {} = {} ({})",
            assumed.field, assumed.value, assumed.reason
        );
    }
    text
}

fn of_pieces(answer: &NetworkAnswer) -> String {
    let mut words = String::new();
    if answer.extra_pieces > 0 {
        let _ = write!(words, ", cut into {} more pieces", answer.extra_pieces);
    }
    if let Some(classes) = answer.classes {
        let _ = write!(words, ", in {classes} classes that behave alike");
    }
    words
}

/// The links that carry most.
fn links(answer: &NetworkAnswer, width: Option<usize>) -> String {
    let mut order: Vec<usize> = (0..answer.links.len()).collect();
    order.sort_by(|&a, &b| {
        let [x, y] = [a, b].map(|at| answer.links[at].utilisation);
        y.total_cmp(&x).then(a.cmp(&b))
    });
    let mut table = Table::new(&[
        ("link", Side::Left),
        ("direction", Side::Left),
        ("bytes", Side::Right),
        ("used", Side::Right),
    ]);
    for &at in order.iter().take(SHOWN_LINKS) {
        let link = &answer.links[at];
        table.row([
            link.name.clone(),
            link.direction.name().to_owned(),
            format!("{:.0}", link.bytes),
            if link.is_fat {
                "-".to_owned()
            } else {
                format!("{:.1} %", link.utilisation * 100.0)
            },
        ]);
    }
    let mut text = table.render(width);
    if SHOWN_LINKS < order.len() {
        let _ = writeln!(
            text,
            "and {} more; --json has all",
            order.len() - SHOWN_LINKS
        );
    }
    text
}
