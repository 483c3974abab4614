//! The folder of a server's data, unless it is told another one.

use std::path::PathBuf;

use etcetera::BaseStrategy;

/// The folder for a server on this address, in the platform's place for state
/// (`$XDG_STATE_HOME/parlor/127.0.0.1-49806`): servers on different addresses do not meet.
/// `None`: the system knows no home for this user.
pub fn data_folder(bind: &str) -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    let state = strategy.state_dir().unwrap_or_else(|| strategy.data_dir());
    Some(state.join("parlor").join(name(bind)))
}

/// An address as the name of a folder, on every system. It starts with no hyphen: a program would
/// take it for an option.
fn name(bind: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let start = match bind.chars().next() {
        Some('[') => "ip6-",
        Some(first) if !first.is_ascii_alphanumeric() => "at-",
        _ => "",
    };
    let rest = bind.chars().filter(|c| !matches!(c, '[' | ']')).map(plain);
    start.chars().chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_a_folder_of_its_own() {
        assert_eq!(name("127.0.0.1:49806"), "127.0.0.1-49806");
        assert_eq!(name("[::]:49806"), "ip6----49806");
        assert_eq!(name("[::1]:49806"), "ip6---1-49806");
        assert_eq!(name("[fe80::1%eth0]:49806"), "ip6-fe80--1-eth0-49806");
        assert_eq!(name("../../etc:1"), "at-..-..-etc-1");
        assert_eq!(name(":80"), "at--80");
    }
}
