//! Devices, links, topologies and routes.
