//! Programs by hand, their text, and what is refused.

use solve::{
    Direction, Domain, LayerCost, PartitionProgram, PartitionSpec, Program, Relation, SolveError,
    solve,
};
use units::{Bytes, Control, Seconds};

fn minute() -> Seconds {
    Seconds::from_secs(60.0)
}

/// maximize 3 x + 2 y, x + y <= 4.5, x <= 2.5, both integers; and a free variable.
fn small() -> Program {
    let mut program = Program::new("a small one; really", Direction::Maximize);
    let x = program
        .variable("x 1", Domain::Integer, 0.0, 2.5)
        .expect("terms of this program");
    let y = program
        .variable("2nd", Domain::Integer, 0.0, 9.0)
        .expect("terms of this program");
    let z = program
        .variable("free", Domain::Real, f64::NEG_INFINITY, f64::INFINITY)
        .expect("terms of this program");
    let all = [(x, 3.0), (y, 2.0), (z, -1.0)];
    program.set_objective(&all).expect("terms of this program");
    program
        .constrain(
            "sum",
            &[(x, 1.0), (y, 0.5), (y, 0.5)],
            Relation::AtMost,
            4.5,
        )
        .expect("terms of this program");
    program
        .constrain("z", &[(z, 1.0)], Relation::AtLeast, -1.25)
        .expect("terms of this program");
    program
}

#[test]
fn a_small_program_has_its_optimum() {
    let program = small();
    let solution = solve(&program, minute(), &Control::new()).unwrap();
    assert_eq!(solution.values(), [2.0, 2.0, -1.25]);
    assert!((solution.objective() - 11.25).abs() < 1e-9);
    assert!(solution.is_proven());
}

#[test]
fn lp_text_is_what_readers_expect() {
    let expected = "\
\\ a_small_one__really
Maximize
 objective: + 3 x_1_0 + 2 x_2nd_1 - 1 free_2
Subject To
 sum_0: + 1 x_1_0 + 1 x_2nd_1 <= 4.5
 z_1: + 1 free_2 >= -1.25
Bounds
 0 <= x_1_0 <= 2.5
 0 <= x_2nd_1 <= 9
 free_2 free
General
 x_1_0
 x_2nd_1
End
";
    assert_eq!(small().to_lp(), expected);
}

#[test]
fn mps_text_is_what_readers_expect() {
    let expected = "\
* the objective is negated: maximize becomes minimize
NAME a_small_one__really
ROWS
 N objective
 L sum_0
 G z_1
COLUMNS
 marker_0 'MARKER' 'INTORG'
 x_1_0 objective -3
 x_1_0 sum_0 1
 x_2nd_1 objective -2
 x_2nd_1 sum_0 1
 marker_2 'MARKER' 'INTEND'
 free_2 objective 1
 free_2 z_1 1
RHS
 rhs sum_0 4.5
 rhs z_1 -1.25
BOUNDS
 LO bound x_1_0 0
 UP bound x_1_0 2.5
 LO bound x_2nd_1 0
 UP bound x_2nd_1 9
 FR bound free_2
ENDATA
";
    assert_eq!(small().to_mps(), expected);
}

#[test]
fn what_has_no_solution_says_so() {
    let mut program = small();
    let x = program.variable("w", Domain::Integer, 0.0, 1.0).unwrap();
    program
        .constrain("w", &[(x, 2.0)], Relation::Equal, 1.0)
        .unwrap();
    let error = solve(&program, minute(), &Control::new()).unwrap_err();
    assert!(matches!(error, SolveError::Infeasible { .. }), "{error}");

    let mut program = Program::new("open", Direction::Minimize);
    let x = program
        .variable("x", Domain::Real, f64::NEG_INFINITY, 0.0)
        .unwrap();
    program.set_objective(&[(x, 1.0)]).unwrap();
    let error = solve(&program, minute(), &Control::new()).unwrap_err();
    assert!(matches!(error, SolveError::Unbounded { .. }), "{error}");
}

#[test]
fn what_does_not_hold_together_is_refused() {
    let mut program = Program::new("bad", Direction::Minimize);
    assert!(program.variable("x", Domain::Real, 2.0, 1.0).is_err());
    assert!(program.variable("x", Domain::Real, f64::NAN, 1.0).is_err());
    let infinite = f64::INFINITY;
    assert!(
        program
            .variable("x", Domain::Real, infinite, infinite)
            .is_err()
    );
    let x = program.binary("x");
    let elsewhere = small().binary("elsewhere");
    assert!(program.set_objective(&[(elsewhere, 1.0)]).is_err());
    assert!(program.set_objective(&[(x, f64::NAN)]).is_err());
    assert!(
        program
            .constrain("c", &[(x, 1.0)], Relation::Equal, f64::INFINITY)
            .is_err()
    );
}

#[test]
fn a_cancelled_control_stops_before_the_solver_starts() {
    let control = Control::new();
    control.cancel();
    let error = solve(&small(), minute(), &control).unwrap_err();
    assert!(matches!(error, SolveError::Interrupted(_)));
}

fn eight_on_three() -> PartitionProgram {
    let layer = LayerCost {
        time: Seconds::from_millis(2.0),
        ..LayerCost::default()
    };
    let spec = PartitionSpec::even(vec![layer; 8], 3, Bytes::new(1));
    PartitionProgram::new(&spec).expect("a question that holds together")
}

#[test]
fn a_split_takes_more_constraints() {
    let mut model = eight_on_three();
    // Layers 2 and 3 share weights: they lie on the same stage, which is not the first.
    for stage in 0..3 {
        let (a, b) = (model.on(2, stage).unwrap(), model.on(3, stage).unwrap());
        let same = [(a, 1.0), (b, -1.0)];
        model
            .program
            .constrain("tied", &same, Relation::Equal, 0.0)
            .unwrap();
    }
    let first = [(model.on(2, 0).unwrap(), 1.0)];
    model
        .program
        .constrain("later", &first, Relation::Equal, 0.0)
        .unwrap();
    let solution = solve(&model.program, minute(), &Control::new()).unwrap();
    assert_eq!(model.read(&solution).counts, [2, 3, 3]);
    assert!((solution.objective() - 9.0 / 8.0).abs() < 1e-9);
}

#[test]
fn a_split_names_no_layer_that_it_lacks() {
    let error = eight_on_three().on(8, 0).unwrap_err();
    assert!(error.to_string().contains("layer 8"), "{error}");
}

#[cfg(not(feature = "highs"))]
#[test]
fn what_takes_too_long_ends_in_time_and_says_so() {
    let layer = |index: u32| LayerCost {
        time: Seconds::from_millis(f64::from(7 + index * 37 % 11)),
        ..LayerCost::default()
    };
    let spec = PartitionSpec::even((0..80).map(layer).collect(), 16, Bytes::new(1));
    let model = PartitionProgram::new(&spec).unwrap();
    match solve(&model.program, Seconds::from_millis(200.0), &Control::new()) {
        Ok(solution) => assert!(!solution.is_proven() && !model.read(&solution).is_proven()),
        Err(error) => {
            assert!(
                matches!(
                    error,
                    SolveError::TimeLimit {
                        integers: 1_280,
                        ..
                    }
                ),
                "{error}"
            );
            assert!(error.hint().unwrap().contains("highs"));
        }
    }
}
