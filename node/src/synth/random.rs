//! Random numbers and distributions of the generator, in integers only.
//!
//! A float rounds differently on some machine some day; here everything is `u64` arithmetic, so
//! the same seed gives the same bytes everywhere. Fractions are [`Fixed`]: 32 bits behind the
//! point. Nothing here knows a village or a person.

/// A number with 32 bits behind the point.
pub(super) type Fixed = i64;

/// One.
pub(super) const ONE: Fixed = 1 << 32;

/// ln 2 and 1 / ln 2.
const LN_2: Fixed = 2_977_044_472;
const LOG2_E: Fixed = 6_196_328_019;

/// The largest exponent [`exp`] takes: beyond it the result would not fit.
const EXP_MAX: Fixed = 20 * ONE;

/// `numerator / denominator` as a fixed number; 0 when the denominator is.
pub(super) fn ratio(numerator: u64, denominator: u64) -> Fixed {
    let wide = (u128::from(numerator) << 32).checked_div(u128::from(denominator));
    Fixed::try_from(wide.unwrap_or_default()).unwrap_or(Fixed::MAX)
}

/// The product; saturates.
pub(super) fn times(a: Fixed, b: Fixed) -> Fixed {
    let wide = (i128::from(a) * i128::from(b)) >> 32;
    Fixed::try_from(wide).unwrap_or(if wide < 0 { Fixed::MIN } else { Fixed::MAX })
}

/// The nearest whole number at or above 0.
pub(super) fn whole(value: Fixed) -> u64 {
    u64::try_from(value.saturating_add(ONE / 2) >> 32).unwrap_or_default()
}

/// e to the power of `x`, for `x` up to 20; the last bits are cut.
pub(super) fn exp(x: Fixed) -> Fixed {
    let halvings = times(x.clamp(-EXP_MAX, EXP_MAX), LOG2_E);
    let (power, fraction) = (halvings >> 32, halvings & (ONE - 1));
    let rest = times(fraction, LN_2);
    // Twelve terms: the thirteenth is below one unit in the last place.
    let (mut sum, mut term) = (ONE, ONE);
    for nth in 1..=12 {
        term = times(term, rest) / nth;
        sum += term;
    }
    if power < 0 { sum >> power.unsigned_abs().min(63) } else { sum << power.min(29) }
}

/// -ln(draw / 2^64): a waiting time of mean 1 when `draw` is uniform.
fn negative_log(draw: u64) -> Fixed {
    let draw = draw.max(1);
    let zeros = draw.leading_zeros();
    // Each squaring of the mantissa yields the next bit of its binary logarithm.
    let mut mantissa = u128::from(draw << zeros);
    let mut fraction: Fixed = 0;
    for _ in 0..32 {
        mantissa = (mantissa * mantissa) >> 63;
        fraction <<= 1;
        if mantissa >> 64 != 0 {
            fraction |= 1;
            mantissa >>= 1;
        }
    }
    times((i64::from(zeros) + 1) * ONE - fraction, LN_2)
}

/// A stream of random numbers: xoshiro256++ (Blackman and Vigna, 2019).
#[derive(Debug, Clone)]
pub(super) struct Random {
    state: [u64; 4],
}

impl Random {
    /// The stream of this key. Keys that differ in one bit give streams with nothing in common.
    pub(super) fn keyed(key: u64) -> Self {
        // splitmix64 spreads one word over the state, as the authors advise.
        let mut word = key;
        let state = [(); 4].map(|()| {
            word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
            mix(word)
        });
        Self { state }
    }

    /// 64 random bits.
    pub(super) fn bits(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let result = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }

    /// A number below `end`; 0 when `end` is 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        let wide = u128::from(self.bits()) * u128::from(end);
        u64::try_from(wide >> 64).unwrap_or_default()
    }

    /// A number from `first` to `last`, both included.
    pub(super) fn between(&mut self, first: u32, last: u32) -> u32 {
        let span = u64::from(last.saturating_sub(first)) + 1;
        first + u32::try_from(self.below(span)).unwrap_or_default()
    }

    /// A place in a list of this length.
    pub(super) fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or_default()
    }

    /// One of the list; the default of an empty one.
    pub(super) fn pick<T: Copy + Default>(&mut self, list: &[T]) -> T {
        list.get(self.place(list.len())).copied().unwrap_or_default()
    }

    /// True in `share` of 10,000 draws.
    pub(super) fn chance(&mut self, share: u32) -> bool {
        self.below(10_000) < u64::from(share)
    }

    /// The place drawn by these weights; 0 when all are 0.
    pub(super) fn weighted(&mut self, weights: &[u32]) -> usize {
        let total = weights.iter().copied().map(u64::from).sum();
        let mut left = self.below(total);
        for (place, weight) in weights.iter().copied().map(u64::from).enumerate() {
            if left < weight {
                return place;
            }
            left -= weight;
        }
        0
    }

    /// From `first` to `last`, most often in the middle.
    pub(super) fn triangular(&mut self, first: u32, last: u32) -> u32 {
        let span = last.saturating_sub(first);
        // The coin keeps the rounding from leaning to one side.
        first + (self.between(0, span) + self.between(0, span) + self.between(0, 1)) / 2
    }

    /// A waiting time of mean 1.
    pub(super) fn exponential(&mut self) -> Fixed {
        negative_log(self.bits())
    }

    /// Events in a time in which `mean` are expected: waiting times are laid end to end, which is
    /// exact for every mean, and as slow as the result is large.
    pub(super) fn poisson(&mut self, mean: Fixed) -> u32 {
        let mut left = mean;
        let mut events = 0;
        loop {
            left = left.saturating_sub(self.exponential());
            if left < 0 {
                return events;
            }
            events += 1;
        }
    }

    /// Events when villages differ: the mean itself is drawn, gamma of shape 2.
    pub(super) fn gamma_poisson(&mut self, mean: Fixed) -> u32 {
        let weight = i64::midpoint(self.exponential(), self.exponential());
        self.poisson(times(mean, weight))
    }

    /// The standard normal: twelve uniforms less six. Its tail ends at six, which no village needs.
    fn normal(&mut self) -> Fixed {
        (0..12).map(|_| i64::try_from(self.bits() >> 32).unwrap_or_default()).sum::<Fixed>()
            - 6 * ONE
    }

    /// A factor of mean 1 whose logarithm spreads by `sigma`.
    pub(super) fn lognormal(&mut self, sigma: Fixed) -> Fixed {
        let centre = times(sigma, sigma) / 2;
        exp(times(sigma, self.normal()) - centre)
    }
}

/// A word whose every bit depends on every bit of `word` (splitmix64's finish).
pub(super) fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: u32 = 40_000;

    fn mean(mut draw: impl FnMut(&mut Random) -> u64) -> Fixed {
        let mut random = Random::keyed(7);
        let sum = (0..DRAWS).map(|_| draw(&mut random)).sum();
        ratio(sum, DRAWS.into())
    }

    fn near(value: Fixed, wanted: Fixed, percent: i64) -> bool {
        (value - wanted).abs() <= wanted / 100 * percent
    }

    #[test]
    fn logarithm_and_power_undo_each_other() {
        assert_eq!(exp(0), ONE);
        assert!(near(exp(ONE), 11_674_931_555, 1), "e");
        for draw in [1, 2, 3, 0x1234_5678, u64::MAX / 3, u64::MAX / 2, u64::MAX] {
            let log = negative_log(draw);
            let back = exp(-log);
            let wanted = Fixed::try_from(draw >> 32).unwrap_or(Fixed::MAX);
            // Below 2^-12 so few bits are left that only the neighbourhood can be right.
            assert!((back - wanted).abs() <= 64 + wanted / 1_000_000, "{draw}: {back} {wanted}");
        }
    }

    #[test]
    fn the_first_numbers_never_change() {
        let mut random = Random::keyed(1);
        let first = [random.bits(), random.bits(), random.bits()];
        assert_eq!(
            first,
            [14_971_601_782_005_023_387, 13_781_649_495_232_077_965, 1_847_458_086_238_483_744]
        );
    }

    #[test]
    fn means_are_what_was_asked() {
        assert!(near(mean(|r| r.poisson(5 * ONE / 2).into()), 5 * ONE / 2, 2));
        assert!(near(mean(|r| r.poisson(70 * ONE).into()), 70 * ONE, 1));
        assert!(near(mean(|r| r.gamma_poisson(8 * ONE).into()), 8 * ONE, 2));
        assert!(near(mean(|r| whole(1000 * r.lognormal(ONE * 2 / 5))), 1000 * ONE, 1));
        assert!(near(mean(|r| r.triangular(5, 17).into()), 11 * ONE, 1));
        assert!(near(mean(|r| u64::from(r.chance(150))), ratio(150, 10_000), 8));
    }

    #[test]
    fn weights_are_kept_and_a_weight_of_nothing_is_never_drawn() {
        let mut random = Random::keyed(3);
        let mut seen = [0u32; 4];
        for _ in 0..DRAWS {
            if let Some(count) = seen.get_mut(random.weighted(&[30, 0, 60, 10])) {
                *count += 1;
            }
        }
        let [a, none, b, c] = seen.map(i64::from);
        assert_eq!(none, 0);
        assert!(near(a, 12_000, 3) && near(b, 24_000, 3) && near(c, 4_000, 5), "{seen:?}");
    }

    #[test]
    fn the_spread_is_that_of_the_distribution() {
        // The variance of a Poisson is its mean; of a gamma of shape 2 over it, m + m^2/2.
        let square = |r: u32, m: u32| u64::from(r.abs_diff(m)).pow(2);
        assert!(near(mean(|r| square(r.poisson(16 * ONE), 16)), 16 * ONE, 4));
        assert!(near(mean(|r| square(r.gamma_poisson(16 * ONE), 16)), 144 * ONE, 6));
    }
}
