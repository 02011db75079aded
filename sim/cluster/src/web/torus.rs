//! A torus: routers in a grid whose rows are rings.
//!
//! A way goes along every dimension in which its ends differ, one after the other, round the
//! shorter side of each ring. Every order of the dimensions is a way, and where both sides of a
//! ring are equally long, both are. The first way takes the dimensions in order, towards higher
//! coordinates where both sides are equal: dimension-order routing (Dally and Seitz, IEEE
//! Trans. Computers C-36(5), 1987), with the ties of SimGrid's torus.

use super::Cables;
use crate::device::Link;

/// The shape of a torus.
#[derive(Clone, Copy, Debug)]
pub(super) struct Torus {
    /// Routers along each dimension; 1 where there is none.
    sizes: [u32; 3],
}

/// What is left to go along one dimension.
#[derive(Clone, Copy, Debug, Default)]
struct Leg {
    steps: u32,
    /// Towards higher coordinates.
    up: bool,
    /// Whether the other side is as short.
    tie: bool,
}

impl Torus {
    pub(super) fn new(dimensions: &[u32]) -> Self {
        let mut sizes = [1; 3];
        for (size, given) in sizes.iter_mut().zip(dimensions) {
            *size = *given;
        }
        Self { sizes }
    }

    pub(super) const fn sizes(self) -> [u32; 3] {
        self.sizes
    }

    pub(super) fn n_routers(self) -> u32 {
        self.sizes.iter().product()
    }

    /// Adds a cable from every router to the next along each dimension.
    pub(super) fn join(self, link: Link, cables: &mut Cables) {
        for router in 0..self.n_routers() {
            for dimension in 0..3 {
                let (at, size) = (self.coordinate(router, dimension), self.sizes[dimension]);
                // Two routers have one cable, not one for each side of a ring.
                if 2 < size || (size == 2 && at == 0) {
                    let next = self.step(router, dimension, true);
                    cables.join([router, next], 1, link);
                }
            }
        }
    }

    pub(super) fn n_ways(self, from: u32, to: u32) -> u32 {
        orders(&self.legs(from, to))
    }

    pub(super) fn walk(self, from: u32, to: u32, mut way: u32, visit: &mut dyn FnMut(u32)) {
        let mut legs = self.legs(from, to);
        let mut at = from;
        while let Some((dimension, up)) = branch(&legs, &mut way) {
            for _ in 0..legs[dimension].steps {
                at = self.step(at, dimension, up);
                visit(at);
            }
            legs[dimension] = Leg::default();
        }
    }

    fn legs(self, from: u32, to: u32) -> [Leg; 3] {
        std::array::from_fn(|dimension| {
            let size = self.sizes[dimension];
            let [a, b] = [from, to].map(|router| self.coordinate(router, dimension));
            let ahead = (b + size - a) % size;
            let up = 2 * ahead <= size;
            Leg {
                steps: if up { ahead } else { size - ahead },
                up,
                tie: 2 < size && 2 * ahead == size,
            }
        })
    }

    fn coordinate(self, router: u32, dimension: usize) -> u32 {
        router / self.stride(dimension) % self.sizes[dimension]
    }

    fn stride(self, dimension: usize) -> u32 {
        self.sizes[..dimension].iter().product()
    }

    /// The next router along a dimension.
    fn step(self, router: u32, dimension: usize, up: bool) -> u32 {
        let (size, stride) = (self.sizes[dimension], self.stride(dimension));
        let at = self.coordinate(router, dimension);
        let next = if up {
            (at + 1) % size
        } else {
            (at + size - 1) % size
        };
        router - at * stride + next * stride
    }
}

/// How many ways there are to go along these legs: all orders, and both sides of ties.
fn orders(legs: &[Leg; 3]) -> u32 {
    let left = legs.iter().filter(|leg| 0 < leg.steps);
    let factors = (1..)
        .zip(left)
        .map(|(place, leg)| place * if leg.tie { 2 } else { 1 });
    factors.product()
}

/// The first leg of a way, and its direction; `way` becomes its number among those that begin so.
fn branch(legs: &[Leg; 3], way: &mut u32) -> Option<(usize, bool)> {
    let open = (0..3).filter(|&dimension| 0 < legs[dimension].steps);
    let sides = open.flat_map(|dimension| {
        let leg = legs[dimension];
        let other = leg.tie.then_some((dimension, !leg.up));
        std::iter::once((dimension, leg.up)).chain(other)
    });
    let mut last = None;
    for side in sides {
        let mut rest = *legs;
        rest[side.0] = Leg::default();
        let behind = orders(&rest);
        last = Some(side);
        if *way < behind {
            break;
        }
        *way -= behind;
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ways(torus: Torus, from: u32, to: u32) -> Vec<Vec<u32>> {
        let way = |way| {
            let mut routers = Vec::new();
            torus.walk(from, to, way, &mut |router| routers.push(router));
            routers
        };
        (0..torus.n_ways(from, to)).map(way).collect()
    }

    #[test]
    fn the_first_way_goes_dimension_by_dimension_and_up_where_both_sides_are_equal() {
        let torus = Torus::new(&[4, 3]);
        assert_eq!(
            ways(torus, 0, 2 + 4),
            [vec![1, 2, 6], vec![3, 2, 6], vec![4, 5, 6], vec![4, 7, 6],]
        );
        assert_eq!(ways(torus, 0, 3), [[3]]);
        assert_eq!(ways(torus, 5, 5), [[0; 0]]);
    }

    #[test]
    fn three_dimensions_have_six_orders_and_every_tie_doubles_them() {
        let torus = Torus::new(&[5, 5, 5]);
        assert_eq!(torus.n_ways(0, 1 + 5 + 25), 6);
        let even = Torus::new(&[4, 4, 4]);
        assert_eq!(even.n_ways(0, 2 + 8 + 32), 48);
        assert_eq!(even.n_ways(0, 2 + 8 + 16), 24);
    }

    #[test]
    fn two_routers_in_a_row_have_one_cable() {
        let rate = units::BytesPerSec::from_gbits(100.0).unwrap();
        let link = Link {
            rate,
            latency: units::Seconds::ZERO,
            kind: crate::LinkKind::Fabric,
        };
        let mut cables = Cables::default();
        Torus::new(&[4, 2, 1]).join(link, &mut cables);
        assert_eq!(cables.ends.len(), 8 + 4);
        assert_eq!(Torus::new(&[4, 2, 1]).n_ways(0, 4), 1);
    }
}
