//! How latencies are spread: a histogram of constant size, exact to 1.6 %.

/// Steps between one power of two and the next.
const STEPS: u32 = 64;
/// Powers of two that are told apart: up to 2⁴⁰ ns, eighteen minutes.
const POWERS: u32 = 40;

/// Nanoseconds, counted.
#[derive(Debug, Clone)]
pub(crate) struct Spread {
    counts: Vec<u64>,
    total: u64,
}

impl Default for Spread {
    fn default() -> Spread {
        Spread { counts: vec![0; (STEPS * POWERS) as usize], total: 0 }
    }
}

impl Spread {
    #[inline]
    pub(crate) fn add(&mut self, nanoseconds: u64) {
        if let Some(count) = self.counts.get_mut(place(nanoseconds)) {
            *count += 1;
        }
        self.total += 1;
    }

    /// The nanoseconds that this share of all counted stays within; 0 where none was counted.
    pub(crate) fn quantile(&self, share: f64) -> u64 {
        let rank = (share * self.total as f64).ceil() as u64;
        let mut seen = 0;
        for (place, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank.max(1) {
                return value(place);
            }
        }
        0
    }

    /// The same in milliseconds.
    pub(crate) fn milliseconds(&self, share: f64) -> f64 {
        self.quantile(share) as f64 / 1e6
    }
}

fn place(nanoseconds: u64) -> usize {
    let power = nanoseconds.max(u64::from(STEPS)).ilog2() - STEPS.ilog2();
    (power * STEPS) as usize + (nanoseconds >> power) as usize
}

fn value(place: usize) -> u64 {
    let steps = STEPS as usize;
    let (power, step) =
        if place < 2 * steps { (0, place) } else { (place / steps - 1, place % steps + steps) };
    (step as u64) << power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_exact_to_a_64th() {
        let mut spread = Spread::default();
        (1..=1_000_000).for_each(|nanoseconds| spread.add(nanoseconds));
        for (share, exact) in [(0.00001, 10.0), (0.5, 500_000.0), (0.99, 990_000.0), (1.0, 1_000_000.0)] {
            let found = spread.quantile(share) as f64;
            assert!((found - exact).abs() <= exact / 64.0, "{share}: {found}, not {exact}");
        }
    }
}
