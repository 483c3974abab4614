//! One order for all.

use super::engine::Engine;
use super::node::{Node, agree, options, scenario};

#[test]
fn two_servers_hear_everything_once_and_in_one_order() {
    let Some(engine) = Engine::always() else { return };
    scenario(async |executor| {
        let one = Node::start(&executor, options(engine.port)).await;
        let two = Node::start(&executor, options(engine.port)).await;
        assert_eq!((one.server, two.server), (1, 2));
        assert_eq!(one.cluster, two.cluster);
        let mut wanted = Vec::new();
        for at in 0..1000 {
            for node in [&one, &two] {
                let text = format!("{} says {at}", node.server);
                node.say(&text);
                wanted.push(text);
            }
        }
        assert!(one.link.waiting() > 0);
        one.hears(2000).await;
        two.hears(2000).await;
        agree(&[&one, &two], &wanted);
        assert_eq!(one.link.waiting() + two.link.waiting(), 0);
        // Of each server in its own order.
        let of_one: Vec<_> = one.said().into_iter().filter(|text| text.starts_with('1')).collect();
        assert_eq!(of_one, (0..1000).map(|at| format!("1 says {at}")).collect::<Vec<_>>());
    });
}
