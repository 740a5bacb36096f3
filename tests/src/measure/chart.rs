//! Figures as plots: that what a sync costs follows the news, that look-ups stay flat, how fast a
//! node fills. Both axes count in powers of ten.

use std::collections::BTreeMap;

use plotters::prelude::*;

use super::look::{PERCENTILE, PROVINCE};
use super::meet::ON_THE_WIRE;
use super::report::{Figure, Report};
use super::scale::Arrival;

/// Width and height of the axes with all on them; and what each line's name takes below.
const PIXELS: (u32, u32) = (860, 480);
const LINE_PIXELS: u32 = 22;
/// Where those begin.
const LEFT: i32 = 96;
const TEXT: (&str, i32) = ("sans-serif", 15);
const TITLE: (&str, i32) = ("sans-serif", 19);
static COLOURS: [RGBColor; 9] = [
    RGBColor(0, 90, 156),
    RGBColor(200, 80, 0),
    RGBColor(0, 128, 96),
    RGBColor(150, 50, 140),
    RGBColor(120, 120, 0),
    RGBColor(70, 70, 70),
    RGBColor(190, 40, 40),
    RGBColor(60, 160, 200),
    RGBColor(230, 150, 30),
];

/// What figures of bytes of frames end with.
const FRAMES: &str = ", frames";

/// Points of one line, by what it shows.
type Lines = BTreeMap<String, Vec<(f64, f64)>>;

/// What a plot shows: its file, its title, its axes.
struct Plot {
    file: &'static str,
    title: &'static str,
    across: &'static str,
    up: &'static str,
    lines: Lines,
}

/// Names and texts of the plots that have figures.
pub fn charts(report: &Report) -> Vec<(String, String)> {
    let plots = [
        Plot {
            file: "sync-news.svg",
            title: "What a sync costs: its frames follow what is new, the rest is the handshake",
            across: "new entries on one side",
            up: "bytes: of frames, and on the wire with handshake and headers",
            lines: lines(report, |it| {
                let news = it.news.filter(|news| *news > 0)?;
                let ends_with = |end| Some((it.what.strip_suffix(end)?, end));
                let (sync, counted) = ends_with(ON_THE_WIRE).or_else(|| ends_with(FRAMES))?;
                let (_, transport) = sync.rsplit_once(' ')?;
                Some((format!("{transport}{counted}, {} entries held", it.size?), news))
            }),
        },
        Plot {
            file: "sync-held.svg",
            title: "Meeting again, nothing changed",
            across: "entries held by both",
            up: "bytes",
            lines: lines(report, |it| {
                let name = it.what.strip_prefix("nothing changed, ")?;
                it.unit.eq("B").then_some((name.to_owned(), it.size?))
            }),
        },
        Plot {
            file: "look-ups.svg",
            title: "Look-ups of one record, and in one area",
            across: "entries held",
            up: "microseconds, the middle",
            lines: lines(report, |it| look_up(it, false)),
        },
        Plot {
            file: "look-ups-province.svg",
            title: "Look-ups in the whole province",
            across: "entries held",
            up: "microseconds, the middle",
            lines: lines(report, |it| look_up(it, true)),
        },
        Plot {
            file: "ingest.svg",
            title: "Entries taken in: verified, merged, views, durable",
            across: "entries",
            up: "entries a second, by the clock",
            lines: lines(report, |it| {
                (it.what == "ingest").then_some((it.arrival.clone()?, it.size?))
            }),
        },
        Plot {
            file: "disk.svg",
            title: "Disk for each record of three entries",
            across: "entries",
            up: "bytes a record",
            lines: lines(report, |it| {
                let store = it.what.strip_prefix("disk, ")?;
                let is_whole = !store.contains(", ");
                is_whole.then_some((format!("{store}, {}", it.arrival.as_ref()?), it.size?))
            }),
        },
    ];
    let drawn = plots.into_iter().filter(|plot| !plot.lines.is_empty());
    drawn.map(|plot| (plot.file.to_owned(), draw(&plot))).collect()
}

/// The line of a look-up, in all of the province or not.
fn look_up(figure: &Figure, in_province: bool) -> Option<(String, u64)> {
    let is_one = figure.unit == "us" && !figure.what.ends_with(PERCENTILE);
    let is_one = is_one && figure.what.contains(PROVINCE) == in_province;
    let is_one = is_one && figure.arrival.as_deref() == Some(Arrival::Ascending.name());
    is_one.then_some((figure.what.clone(), figure.size?))
}

/// Gathers points; `of` says of a figure to which line it belongs and how far right.
fn lines(report: &Report, of: impl Fn(&Figure) -> Option<(String, u64)>) -> Lines {
    let mut lines = Lines::new();
    for figure in report.figures() {
        if let Some((line, across)) = of(figure) {
            lines
                .entry(line)
                .or_default()
                .push((across as f64, figure.value.max(f64::MIN_POSITIVE)));
        }
    }
    for line in lines.values_mut() {
        line.sort_by(|one, next| one.0.total_cmp(&next.0));
    }
    lines
}

/// The powers of ten around values.
fn around(values: impl Iterator<Item = f64> + Clone) -> std::ops::Range<f64> {
    let least = values.clone().fold(f64::MAX, f64::min).log10().floor();
    let most = values.fold(f64::MIN_POSITIVE, f64::max).log10().ceil();
    10f64.powf(least)..10f64.powf(most.max(least + 1.0))
}

fn draw(plot: &Plot) -> String {
    let mut svg = String::new();
    let (width, height) = PIXELS;
    let names = u32::try_from(plot.lines.len()).unwrap() * LINE_PIXELS + LINE_PIXELS / 2;
    let root = SVGBackend::with_string(&mut svg, (width, height + names)).into_drawing_area();
    root.fill(&WHITE).unwrap();
    let (axes, below) = root.split_vertically(height);
    let points = || plot.lines.values().flatten().copied();
    let mut chart = ChartBuilder::on(&axes)
        .caption(plot.title, TITLE)
        .margin(12)
        .margin_right(44)
        .x_label_area_size(44)
        .y_label_area_size(84)
        .build_cartesian_2d(
            around(points().map(|point| point.0)).log_scale(),
            around(points().map(|point| point.1)).log_scale(),
        )
        .unwrap();
    chart
        .configure_mesh()
        .x_desc(plot.across)
        .y_desc(plot.up)
        .x_label_formatter(&|value| format!("{value:.0}"))
        .y_label_formatter(&|value| format!("{value:.0}"))
        .label_style(TEXT)
        .axis_desc_style(TEXT)
        .light_line_style(WHITE)
        .draw()
        .unwrap();
    let lines = plot.lines.iter().zip(COLOURS.iter().cycle());
    for (((name, line), colour), down) in lines.zip((0..).step_by(LINE_PIXELS as usize)) {
        chart.draw_series(LineSeries::new(line.iter().copied(), colour.stroke_width(2))).unwrap();
        let key = [(LEFT, down + 9), (LEFT + 18, down + 9)];
        below.draw(&PathElement::new(key, colour.stroke_width(2))).unwrap();
        below.draw(&Text::new(name.as_str(), (LEFT + 26, down), TEXT)).unwrap();
        let dots = line.iter().map(|point| Circle::new(*point, 3, colour.filled()));
        chart.draw_series(dots).unwrap();
    }
    root.present().unwrap();
    drop((chart, axes, below, root));
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_and_only_what_was_measured_is_drawn() {
        let mut report = Report::default();
        let what = "ingest";
        report.add(what, 100_000.0, "entries/s").at(1_000).arriving("random");
        report.add(what, 150_000.0, "entries/s").at(1_000_000).arriving("random");
        let charts = charts(&report);
        assert_eq!(
            charts.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["ingest.svg"]
        );
        let (_, svg) = charts.first().unwrap();
        assert!(svg.starts_with("<svg") && svg.contains("random"), "{svg}");
        assert_eq!(svg.matches("<circle").count(), 2);
    }
}
