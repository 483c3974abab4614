//! Many networks, odd ones, and none.
