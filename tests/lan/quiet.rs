//! Silence, unless somebody announces or looks.
