//! Prints the rooms that can be found on the network, each time that they change: what the window's card lists.
#![forbid(unsafe_code)]

use parlor_server::lan::{Browser, LanError, Seen};

fn main() -> Result<(), LanError> {
    let browser = Browser::start()?;
    while let Some(seen) = futures_lite::future::block_on(browser.next()) {
        match seen {
            Seen::Nowhere(error) => println!("nowhere: {error}"),
            Seen::Rooms(rooms) => {
                println!("{} rooms", rooms.len());
                for found in rooms {
                    let room = found.listing.room.map_or("-".into(), |room| room.to_string());
                    let hex = |key: [u8; 32]| key.iter().map(|byte| format!("{byte:02x}")).collect();
                    let key: String = found.listing.key.map_or("-".into(), hex);
                    let people = found.listing.people.map_or(-1, i64::from);
                    let at: Vec<String> = found.addresses.iter().map(ToString::to_string).collect();
                    println!("  {:?} {room} {people} {key} {}", found.listing.name, at.join(" "));
                }
            }
        }
    }
    Ok(())
}
