//! The coarsest equitable partition, by color refinement.

use std::collections::VecDeque;

use units::LinkId;

use super::number;

/// Flows and the links that they cross, as one graph: flows come first.
pub(super) struct Bipartite {
    pub(super) n_flows: usize,
    /// The links in use, by place after the flows.
    pub(super) links: Vec<LinkId>,
    /// Neighbors of each vertex: `neighbors[starts[v]..starts[v + 1]]`.
    starts: Vec<u32>,
    neighbors: Vec<u32>,
}

impl Bipartite {
    pub(super) fn new(flows: &[(u32, Vec<LinkId>)], n_links: usize) -> Self {
        let mut crossings = vec![0_u32; n_links];
        for link in flows.iter().flat_map(|(_, links)| links) {
            crossings[link.index()] += 1;
        }
        let mut places = vec![0_u32; n_links];
        let mut links = Vec::new();
        for (index, _) in crossings.iter().enumerate().filter(|(_, n)| **n > 0) {
            places[index] = number(flows.len() + links.len());
            links.push(LinkId::from_index(index));
        }
        let degrees = flows.iter().map(|(_, path)| number(path.len()));
        let degrees = degrees.chain(links.iter().map(|link| crossings[link.index()]));
        let mut starts = vec![0];
        starts.extend(degrees.scan(0, |sum, degree| {
            *sum += degree;
            Some(*sum)
        }));
        let mut next = starts.clone();
        let mut neighbors = vec![0; *starts.last().unwrap_or(&0) as usize];
        for (flow, (_, path)) in flows.iter().enumerate() {
            for link in path {
                let link = places[link.index()];
                for (from, to) in [(number(flow), link), (link, number(flow))] {
                    neighbors[next[from as usize] as usize] = to;
                    next[from as usize] += 1;
                }
            }
        }
        Self {
            n_flows: flows.len(),
            links,
            starts,
            neighbors,
        }
    }

    fn of(&self, vertex: u32) -> &[u32] {
        let range = self.starts[vertex as usize]..self.starts[vertex as usize + 1];
        &self.neighbors[range.start as usize..range.end as usize]
    }
}

/// A part of the vertices that is still alike.
#[derive(Clone, Copy)]
pub(super) struct Cell {
    start: u32,
    pub(super) len: u32,
}

/// A partition of the vertices that is refined in place.
pub(super) struct Partition {
    /// Vertices, those of a cell side by side.
    vertices: Vec<u32>,
    /// Where each vertex stands.
    places: Vec<u32>,
    pub(super) cell_of: Vec<u32>,
    pub(super) cells: Vec<Cell>,
    /// Cells by which others are still to be split.
    work: VecDeque<u32>,
    waiting: Vec<bool>,
}

impl Partition {
    /// Cells of equal color; flows and links are never together.
    pub(super) fn new(colors: &[u64], n_flows: usize) -> Self {
        let n = colors.len();
        let key = |vertex: u32| (n_flows <= vertex as usize, colors[vertex as usize]);
        let mut vertices: Vec<u32> = (0..number(n)).collect();
        vertices.sort_by_key(|&vertex| key(vertex));
        let mut this = Self {
            places: vec![0; n],
            cell_of: vec![0; n],
            cells: Vec::new(),
            work: VecDeque::new(),
            waiting: Vec::new(),
            vertices,
        };
        for place in 0..n {
            let vertex = this.vertices[place];
            if place == 0 || key(this.vertices[place - 1]) != key(vertex) {
                this.add(Cell {
                    start: number(place),
                    len: 0,
                });
            }
            let last = this.cells.len() - 1;
            this.cells[last].len += 1;
            this.cell_of[vertex as usize] = number(last);
            this.places[vertex as usize] = number(place);
        }
        (0..this.cells.len()).for_each(|cell| this.enqueue(number(cell)));
        this
    }

    fn add(&mut self, cell: Cell) -> u32 {
        self.cells.push(cell);
        self.waiting.push(false);
        number(self.cells.len() - 1)
    }

    fn enqueue(&mut self, cell: u32) {
        if !std::mem::replace(&mut self.waiting[cell as usize], true) {
            self.work.push_back(cell);
        }
    }

    fn members(&self, cell: u32) -> std::ops::Range<usize> {
        let Cell { start, len } = self.cells[cell as usize];
        start as usize..(start + len) as usize
    }

    /// Splits until the partition is equitable.
    pub(super) fn refine(&mut self, graph: &Bipartite) {
        let mut counts = vec![0_u32; self.vertices.len()];
        let mut touched: Vec<u32> = Vec::new();
        while let Some(splitter) = self.work.pop_front() {
            self.waiting[splitter as usize] = false;
            for place in self.members(splitter) {
                for &other in graph.of(self.vertices[place]) {
                    if counts[other as usize] == 0 {
                        touched.push(other);
                    }
                    counts[other as usize] += 1;
                }
            }
            let key = |&vertex: &u32| (self.cell_of[vertex as usize], counts[vertex as usize]);
            touched.sort_unstable_by_key(|vertex| (key(vertex), *vertex));
            let mut rest = touched.as_slice();
            while let Some(first) = rest.first() {
                let cell = self.cell_of[*first as usize];
                let end = rest.partition_point(|vertex| self.cell_of[*vertex as usize] == cell);
                let (run, later) = rest.split_at(end);
                self.split(cell, run, &counts);
                rest = later;
            }
            for vertex in touched.drain(..) {
                counts[vertex as usize] = 0;
            }
        }
    }

    /// Splits a cell into its untouched vertices and, by count, those of `run`, which is sorted
    /// by count.
    fn split(&mut self, cell: u32, run: &[u32], counts: &[u32]) {
        let count = |vertex: &u32| counts[*vertex as usize];
        let Cell { start, len } = self.cells[cell as usize];
        let untouched = len - number(run.len());
        let (Some(least), Some(most)) = (run.first().map(count), run.last().map(count)) else {
            return;
        };
        if untouched == 0 && least == most {
            return;
        }
        self.move_to_end(cell, run);
        let was_waiting = self.waiting[cell as usize];
        let mut parts = vec![cell];
        let mut at = start + untouched;
        self.cells[cell as usize].len = untouched;
        for group in run.chunk_by(|a, b| count(a) == count(b)) {
            let part = if self.cells[cell as usize].len == 0 {
                cell
            } else {
                let part = self.add(Cell { start: at, len: 0 });
                parts.push(part);
                part
            };
            self.cells[part as usize].len = number(group.len());
            for vertex in group {
                self.cell_of[*vertex as usize] = part;
            }
            at += number(group.len());
        }
        // A cell that waits is replaced by all its parts, else the largest may be left out.
        let largest = *parts
            .iter()
            .rev()
            .max_by_key(|part| self.cells[**part as usize].len)
            .expect("a cell has parts");
        for part in parts {
            if was_waiting || part != largest {
                self.enqueue(part);
            }
        }
    }

    /// Moves vertices to the end of their cell, in the order given.
    fn move_to_end(&mut self, cell: u32, run: &[u32]) {
        let mut end = self.members(cell).end;
        for &vertex in run.iter().rev() {
            end -= 1;
            let (other, place) = (self.vertices[end], self.places[vertex as usize]);
            self.vertices.swap(place as usize, end);
            self.places[other as usize] = place;
            self.places[vertex as usize] = number(end);
        }
    }
}
