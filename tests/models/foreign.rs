//! Every decoder of foreign bytes, with its seeds and mutations of them: no panic, no second form,
//! nothing lost on the way back, and no more memory than its limit. libFuzzer asks the same of
//! bytes it chooses better: `just fuzz`.

use allocation_counter::measure;
use tests::fuzz::mutation::Mutations;
use tests::fuzz::{TARGETS, Target, target};

/// Inputs of one target in an ordinary run.
const INPUTS: usize = 3_000;

/// Checks one input, and how much memory that took.
fn checked(target: &Target, bytes: &[u8]) {
    let taken = measure(|| {
        (target.check)(bytes);
    });
    let taken = taken.bytes_max;
    let limit = target.memory_bytes_max;
    let start = bytes.get(..64.min(bytes.len())).unwrap();
    assert!(taken <= limit, "{}: {taken} bytes for {start:02x?}.., limit {limit}", target.name);
}

fn mutated(name: &str) {
    let target = target(name).unwrap();
    // What is made once for all is no input's.
    for seed in (target.seeds)() {
        (target.check)(&seed);
    }
    let mut inputs = Mutations::new(target, 2026);
    for _ in 0..INPUTS {
        checked(target, &inputs.next_input());
    }
}

macro_rules! targets {
    ($($name:ident)+) => {
        $(#[test]
        fn $name() {
            mutated(stringify!($name));
        })+

        #[test]
        fn every_target_is_tried() {
            let tried = [$(stringify!($name)),+];
            assert!(TARGETS.iter().map(|target| target.name).eq(tried));
        }
    };
}

targets! {
    header section block run feed frame link row payload statement invitation bundle sheet fold stored text
}

#[test]
#[should_panic(expected = "greedy: 1048576 bytes")]
fn a_target_that_takes_a_byte_more_than_its_limit_is_caught() {
    let check = |_: &[u8]| !std::hint::black_box(vec![0_u8; 1 << 20]).is_empty();
    let (input_bytes_max, memory_bytes_max) = (1, (1 << 20) - 1);
    let greedy =
        Target { name: "greedy", check, seeds: Vec::new, input_bytes_max, memory_bytes_max };
    checked(&greedy, &[7]);
}

/// Seeds that are refused on purpose, and which of their target's they are: what is squeezed there is no
/// block.
const REFUSED: [(&str, usize); 3] = [("run", 2), ("run", 3), ("run", 4)];

#[test]
fn every_seed_is_taken_by_its_decoder_but_those_that_say_they_are_not() {
    let mut refused = Vec::new();
    for target in &TARGETS {
        assert!(!(target.seeds)().is_empty(), "{} has no seeds", target.name);
        for (number, seed) in (target.seeds)().into_iter().enumerate() {
            assert!(seed.len() <= target.input_bytes_max, "{}: a seed is too long", target.name);
            if !(target.check)(&seed) {
                refused.push((target.name, number));
            }
        }
    }
    assert_eq!(refused, REFUSED);
}
