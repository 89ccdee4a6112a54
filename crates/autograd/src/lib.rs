//! Part of tamis.
