//! Every case, agreement of fidelities, and the oracles of the papers.
