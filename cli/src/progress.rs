//! Long work shows a bar on the terminal, and Ctrl-C ends it where it is whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use node::progress::Progress;

use crate::console::Teller;
use crate::words::Fact;

/// After so many Ctrl-C the process ends at once. Not the second: tools that stop a whole group of
/// processes may send two for one.
const AT_ONCE: usize = 3;

/// A person's wish to end early; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<Wishes>);

#[derive(Debug, Default)]
struct Wishes {
    count: AtomicUsize,
    /// Wakes what waits and does not look.
    wake: tokio::sync::Notify,
}

impl Interrupt {
    /// From now on Ctrl-C and a request to terminate set it, and a third one ends the process at once (which the store
    /// survives, as it survives a power cut).
    pub fn listen(&self) {
        let wishes = Arc::clone(&self.0);
        let set = ctrlc::set_handler(move || {
            if wishes.count.fetch_add(1, Ordering::SeqCst) + 1 >= AT_ONCE {
                std::process::exit(130);
            }
            wishes.wake.notify_one();
        });
        // Without a handler the system's own stays: the first Ctrl-C then ends the process.
        drop(set);
    }

    /// Wishes it.
    pub fn set(&self) {
        self.0.count.fetch_add(1, Ordering::SeqCst);
        self.0.wake.notify_one();
    }

    /// The wish was granted: what is left to do is done whole.
    pub(crate) fn clear(&self) {
        self.0.count.store(0, Ordering::SeqCst);
    }

    /// Waits until it is wished.
    pub async fn wished(&self) {
        while !self.is_set() {
            self.0.wake.notified().await;
        }
    }

    /// Whether it is wished.
    pub fn is_set(&self) -> bool {
        self.0.count.load(Ordering::SeqCst) > 0
    }
}

/// One piece of long work on the terminal; nothing is left of it when it is dropped.
#[derive(Debug)]
pub(crate) struct Bar {
    line: ProgressBar,
    interrupt: Interrupt,
    /// For a message meanwhile; without one nothing is said.
    teller: Option<Teller>,
}

impl Bar {
    /// A bar named `label`; one that is not `shown` only listens for the interrupt.
    pub(crate) fn new(label: String, shown: bool, interrupt: &Interrupt) -> Self {
        let target =
            if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target).with_message(label);
        bar.set_style(style(WAITING));
        if shown {
            bar.enable_steady_tick(TICK);
        }
        Self { line: bar, interrupt: interrupt.clone(), teller: None }
    }

    /// The same, with somebody who says what there is to say meanwhile.
    pub(crate) fn telling(mut self, teller: Option<Teller>) -> Self {
        self.teller = teller;
        self
    }

    /// Whether a message would be heard.
    pub(crate) const fn tells(&self) -> bool {
        self.teller.is_some()
    }

    /// Says something, above the bar where there is one.
    pub(crate) fn tell(&self, key: &str, facts: &[Fact]) {
        if let Some(teller) = &self.teller {
            self.line.suspend(|| teller.tell(key, facts));
        }
    }

    /// Whether anybody sees it.
    pub(crate) fn is_shown(&self) -> bool {
        !self.line.is_hidden()
    }

    /// Says what is being done now.
    pub(crate) fn label(&self, label: String) {
        self.line.set_message(label);
    }
}

impl Progress for Bar {
    fn at(&mut self, done: u64, total: u64) -> bool {
        if total > 0 && self.line.length() != Some(total) {
            self.line.set_length(total);
            self.line.set_style(style(COUNTING));
        }
        self.line.set_position(done);
        !self.interrupt.is_set()
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.line.finish_and_clear();
    }
}

/// How often the bar shows that it lives.
const TICK: Duration = Duration::from_millis(120);

/// While the end is not known.
const WAITING: &str = "{spinner:.cyan} {msg}";
/// Once it is.
const COUNTING: &str = "{spinner:.cyan} {msg} {bar:24.cyan/blue} {human_pos}/{human_len} {eta}";

/// A template that does not parse shows the plain bar; a test holds both to parse.
fn style(template: &str) -> ProgressStyle {
    let plain = ProgressStyle::default_bar();
    plain.template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_templates_parse() {
        for template in [WAITING, COUNTING] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn work_is_told_to_stop_only_after_somebody_wished_it() {
        let interrupt = Interrupt::default();
        let mut bar = Bar::new(String::new(), false, &interrupt);
        assert!(bar.at(1, 10));
        interrupt.clone().set();
        assert!(!bar.at(2, 10));
    }
}
