//! Rooms found on the network: the real programs on computers and cables of their own, made of the kernel's
//! namespaces. Nothing of it leaves them.
#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]

use std::time::Duration;

mod found;
mod gone;
mod hostile;
mod looker;
mod net;
mod networks;
mod quiet;
mod window;

/// Far more than a room takes to be found, also on a machine so busy that the library's thread was taken for flooded and
/// paused.
const SOON: Duration = Duration::from_secs(45);
