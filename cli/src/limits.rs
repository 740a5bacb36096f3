//! Whole numbers with limits: whoever types one that lies outside, or no number, reads what the limits
//! are, why, and what to type.

use std::fmt;
use std::ops::RangeInclusive;

/// What was typed is no whole number within its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutOfLimits {
    pub(crate) least: u64,
    pub(crate) most: u64,
    /// The text in `usage.ftl` that says why these are the limits.
    pub(crate) why: &'static str,
}

impl fmt::Display for OutOfLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a whole number from {} to {}", self.least, self.most)
    }
}

impl std::error::Error for OutOfLimits {}

/// Reads a number within its limits; `why` is the key of the text for one that is not.
pub(crate) fn within<T: TryFrom<u64>>(
    limits: RangeInclusive<u64>,
    why: &'static str,
) -> impl Fn(&str) -> Result<T, OutOfLimits> + Clone + Send + Sync + 'static {
    move |text| {
        let number = text.parse().ok().filter(|number| limits.contains(number));
        let number = number.and_then(|number: u64| T::try_from(number).ok());
        number.ok_or(OutOfLimits { least: *limits.start(), most: *limits.end(), why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_limits_are_within_and_all_else_is_told_with_them() {
        let read = within::<u16>(1..=12, "usage-demo-villages");
        assert_eq!((read("1"), read("12")), (Ok(1), Ok(12)));
        for text in ["0", "13", "-1", "1.5", "tiga", "", "99999999999999999999"] {
            let told = read(text).err();
            assert_eq!(told.map(|it| (it.least, it.most)), Some((1, 12)), "{text}");
        }
    }
}
