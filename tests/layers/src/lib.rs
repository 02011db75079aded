//! The direction of dependencies, checked from the manifests.
