//! The model-based suite.
