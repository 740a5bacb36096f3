//! Mutations without libFuzzer: seeded, so that what was found is found again.

use crdt_schema::testing::Numbers;

use super::Target;

/// Inputs of a target: its seeds, then mutations of them and of each other.
#[derive(Debug)]
pub struct Mutations {
    seeds: Vec<Vec<u8>>,
    numbers: Numbers,
    at: usize,
    bytes_max: usize,
}

impl Mutations {
    /// Of a target, from a seed.
    pub fn new(target: &Target, seed: u64) -> Self {
        let seeds = (target.seeds)();
        Self { seeds, numbers: Numbers::new(seed), at: 0, bytes_max: target.input_bytes_max }
    }

    /// The next input.
    pub fn next_input(&mut self) -> Vec<u8> {
        let at = self.at;
        self.at += 1;
        if let Some(seed) = self.seeds.get(at) {
            return seed.clone();
        }
        let mut bytes = self.pick();
        for _ in 0..=self.numbers.below(4) {
            self.mutate(&mut bytes);
        }
        bytes.truncate(self.bytes_max);
        bytes
    }

    fn pick(&mut self) -> Vec<u8> {
        let at = self.numbers.below(self.seeds.len());
        self.seeds.get(at).cloned().unwrap_or_default()
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        /// What a count, a length or a distance breaks at.
        const EDGES: [&[u8]; 8] = [
            &[0],
            &[1],
            &[0x7f],
            &[0x80, 0x01],
            &[0xff],
            &[0xff, 0xff, 0x03],
            &[0xff; 4],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        ];
        let place = self.numbers.below(bytes.len() + 1);
        let end = (place + 1 + self.numbers.below(8)).min(bytes.len());
        match self.numbers.below(7) {
            0 => {
                let flip = 1_u8 << self.numbers.below(8);
                bytes.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= flip);
            }
            1 => {
                let other = u8::try_from(self.numbers.below(256)).unwrap_or_default();
                bytes.iter_mut().skip(place).take(1).for_each(|byte| *byte = other);
            }
            2 => {
                let edge = EDGES.get(self.numbers.below(EDGES.len())).copied().unwrap_or_default();
                let end = (place + edge.len()).min(bytes.len());
                bytes.splice(place..end, edge.iter().copied());
            }
            3 => drop(bytes.drain(place.min(end)..end)),
            4 => bytes.truncate(place),
            5 => {
                let again = bytes.get(place.min(end)..end).unwrap_or_default().to_vec();
                bytes.splice(place..place, again);
            }
            _ => {
                let other = self.pick();
                let from = self.numbers.below(other.len() + 1);
                bytes.truncate(place);
                bytes.extend(other.get(from..).unwrap_or_default());
            }
        }
    }
}
