//! A page on what kernels and collectives are worth.

use std::fmt::Write as _;

use fit::collectives::Fitted;
use fit::kernels::FittedProfile;

use super::{kernels, write};
use crate::args::{FitArgs, FitPart};
use crate::commands::Context;
use crate::exit::Exit;

/// The page, as its parts are fitted.
#[derive(Debug, Default)]
pub(super) struct Report {
    kernels: String,
    collectives: String,
}

const HEAD: &str = "\
# Kernels and collectives

What the profiles of GPUs and the constants of collectives are off by, on the rows that they were fitted to and on
rows that the fit had not seen. Written by

```sh
windtunnel calibrate fit --only kernels --only collectives --output scenarios --report docs
```

from `calibrate/data/kernels` and `calibrate/data/collectives`, whose `SOURCE.md` name every table. Errors are of times;
[accuracy.md](accuracy.md) has those of whole runs.

## Kernels

Mean absolute percentage errors, by GPU, kernel and precision. Left out were values of an extent, lengths, numbers of heads,
or numbers or sizes of experts, all their rows together, in three to eight parts: `held_out_by` in a profile says which.
That is the error on other shapes of the same campaign; another one on another card of the kind may differ by more.

";

const COLLECTIVES: &str = "\
## Collectives

Median absolute percentage errors. Each table was left out once: everything was fitted anew without it, from the priors,
and predicted its rows. Tables of one network are few, and where only one has small sizes, leaving it out means a
prediction by the constants that all networks share. Tables of one network also disagree: at large sizes p4de is 1.8 times
as fast as p4d, and one A3 High 1.4 times as fast as another. NCCL's constants, which choose the algorithm, were not left
out; those of Google's networks are from their tables.

Between domains it is mostly EFA and TCPX that carry the error, whose tables lie on both sides of each other (By table): no
form predicts one of two machines from the other where these differ so much. What a network is worth on which something was measured, as on
[a fabric of your own](calibrating-a-fabric.md), is told by a second error between domains: there only the rows of one
class of sizes (below 64 KiB, 1 MiB, 64 MiB, and larger) of one table were left out. A table with sizes of one class alone
is left out whole then, too.

`windtunnel collective` prints an interval for each time that has 80 % of the rows that were left out. It is centered on
the prediction: where left-out rows lay on one side, nothing is corrected by that bias, which is that of one or two
machines, and the interval is widened by it to both sides.

";

impl Report {
    /// An empty page, where one can be written.
    pub(super) fn of(args: &FitArgs, parts: &[FitPart], context: &Context) -> Result<Self, Exit> {
        let needed = [FitPart::Kernels, FitPart::Collectives];
        if args.report.is_some() && !needed.iter().all(|part| parts.contains(part)) {
            let hint = "add --only kernels --only collectives";
            context.error("--report needs both kernels and collectives", Some(hint));
            return Err(Exit::BadInput);
        }
        Ok(Self::default())
    }

    pub(super) fn kernels(&mut self, profiles: &[FittedProfile]) {
        self.kernels = String::from(
            "| profile | kernel | rows | fitted | left out |\n|---|---|---:|---:|---:|\n",
        );
        for (name, curve) in kernels::curves(profiles) {
            let _ = writeln!(
                self.kernels,
                "| {name} | {} | {} | {} | {} |",
                curve.kernel,
                curve.rows,
                kernels::percent(curve.mape),
                curve.held_out.map(kernels::percent).unwrap_or_default(),
            );
        }
        self.kernels.push('\n');
    }

    pub(super) fn collectives(&mut self, fitted: &Fitted) {
        self.collectives.clone_from(&fitted.errors);
    }

    /// Writes the page, where that was asked for.
    pub(super) fn write(&self, args: &FitArgs, context: &Context) -> Result<(), Exit> {
        let Some(folder) = &args.report else {
            return Ok(());
        };
        let text = [HEAD, &self.kernels, COLLECTIVES, &self.collectives].concat();
        let text = format!("{}\n", text.trim_end());
        write(&folder.join("kernels-and-collectives.md"), &text, context)
    }
}
