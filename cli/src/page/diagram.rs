//! The picture of the tree this node stands in: boxes from the province down, a line between two.
//!
//! Drawn here as numbers, laid out by `jaringan.html`. Everything it shows stands in words beside it.

use super::frame::Ground;
use super::honest::{self, Step};
use super::said;

/// Height of a box.
const BOX: u32 = 56;
/// From one box to the next.
const PITCH: u32 = 96;
/// Letters that fit into a box.
const LETTERS: usize = 34;

/// The picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Diagram {
    pub(super) height: u32,
    pub(super) boxes: Vec<Node>,
    pub(super) lines: Vec<Line>,
}

/// One box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) y: u32,
    pub(super) name_y: u32,
    pub(super) text_y: u32,
    /// As the words beside the picture have it.
    pub(super) place: String,
    /// As much of it as fits.
    pub(super) name: String,
    pub(super) text: String,
    pub(super) tone: &'static str,
}

/// The line between a box and the one under it; its words say whether *this* node is connected to
/// the upper one, for nothing is known of others' links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) text_y: u32,
    pub(super) text: String,
    pub(super) connected: bool,
}

impl Diagram {
    /// From the province down to this node, and what lies below it. `upward` counts open links to
    /// each level above, the nearest first; `below` those open and all.
    pub(super) fn of(ground: &Ground, upward: &[usize], below: (usize, usize)) -> Self {
        let mut diagram = Self { height: 0, boxes: Vec::new(), lines: Vec::new() };
        let steps = honest::line(ground).steps;
        for (Step { place, text, tone, .. }, open) in steps.iter().zip(upward).rev() {
            diagram.stand(place, text.clone(), tone.class());
            diagram.join(link(*open), *open > 0);
        }
        let own = format!("simpul ini, perangkat {}", said::device(&ground.status.device));
        diagram.stand(&said::place(&ground.home), own, "sini");
        let (open, all) = below;
        if all > 0 {
            diagram.join(link(open), open > 0);
            let known = format!("{} perangkat dikenal", said::number(all as u64));
            diagram.stand("Di bawahnya", known, "diam");
        }
        diagram.height = diagram.next_y() - (PITCH - BOX) + 1;
        diagram
    }

    fn next_y(&self) -> u32 {
        self.boxes.last().map_or(1, |last| last.y + PITCH)
    }

    fn stand(&mut self, place: &str, text: String, tone: &'static str) {
        let y = self.next_y();
        let name = if place.chars().count() > LETTERS {
            place.chars().take(LETTERS - 1).chain(['…']).collect()
        } else {
            place.to_owned()
        };
        let place = place.to_owned();
        self.boxes.push(Node { y, name_y: y + 23, text_y: y + 43, place, name, text, tone });
    }

    /// A line from the last box to the one that comes.
    fn join(&mut self, text: String, connected: bool) {
        let to = self.next_y();
        let from = to - (PITCH - BOX);
        self.lines.push(Line { from, to, text_y: from + 25, text, connected });
    }
}

fn link(open: usize) -> String {
    match open {
        0 => "tidak tersambung langsung dari sini".to_owned(),
        1 => "tersambung langsung dari sini".to_owned(),
        open => format!("{open} sambungan dari sini"),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::indexing_slicing, reason = "a test that panics is a test that fails")]
    use super::super::testing::{arrived, desa};
    use super::*;

    #[test]
    fn boxes_stand_from_the_province_down_with_what_arrived() {
        let mut ground = desa();
        ground.status.arrived = vec![arrived("kecamatan", 5, 5, None)];
        let diagram = Diagram::of(&ground, &[1, 0, 0], (0, 0));
        let names: Vec<&str> = diagram.boxes.iter().map(|it| it.name.as_str()).collect();
        let expected =
            ["Provinsi Jawa Barat", "Kabupaten Cirebon", "Kecamatan Gunung Jati", "Desa Sambeng"];
        assert_eq!(names, expected);
        assert_eq!(diagram.boxes[2].text, "5 perubahan sampai");
        assert_eq!(diagram.boxes[0].text, "belum ada tanda terima");
        let connected: Vec<bool> = diagram.lines.iter().map(|line| line.connected).collect();
        assert_eq!(connected, [false, false, true]);
        assert!(diagram.boxes.iter().all(|it| it.y + BOX < diagram.height));
    }

    #[test]
    fn what_lies_below_is_one_box() {
        let mut ground = desa();
        ground.above.truncate(1);
        let diagram = Diagram::of(&ground, &[0], (2, 7));
        assert_eq!(diagram.boxes.len(), 3);
        assert_eq!(diagram.boxes[2].text, "7 perangkat dikenal");
        assert_eq!(diagram.lines[1].text, "2 sambungan dari sini");
    }
}
