//! The plot as SVG: the whole record above, and below it the years with most gaps. Does
//! not depend on tensors.

use std::iter::successors;
use std::ops::Range;

const INK: &str = "#2b2d42";
const READING: &str = "#5b7db1";
const FIT: &str = "#d1495b";
const GAP: &str = "#f6d59b";
const WEEK: f64 = 7.0 / 365.25;

/// One week of the record.
pub(crate) struct Week {
    pub(crate) year: f64,
    /// NaN where it is missing.
    pub(crate) co2: f64,
    pub(crate) fit: f64,
}

/// The document.
pub(crate) fn draw(weeks: &[Week]) -> String {
    let record = Panel { top: 84.0, height: 270.0, years: 1958.0..2002.0, co2: 310.0..376.0 };
    let early = Panel { top: 420.0, height: 210.0, years: 1958.0..1968.0, co2: 311.0..327.0 };
    let panels = [
        record.axes(5.0, 10.0),
        record.draw(weeks, 1.6, 1.2),
        early.axes(1.0, 5.0),
        early.draw(weeks, 3.2, 1.8),
        text(
            Panel::LEFT,
            408.0,
            "start",
            13.0,
            "the first ten years, in which most of the missing weeks are",
        ),
    ];
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 680" font-family="Helvetica, Arial, sans-serif" fill="{INK}">
<rect width="960" height="680" fill="white"/>
{}
{}
{}
</svg>
"##,
        text(Panel::LEFT, 36.0, "start", 20.0, "Carbon dioxide at Mauna Loa, ppmv"),
        legend(),
        panels.concat(),
    )
}

fn text(x: f64, y: f64, anchor: &str, size: f64, words: &str) -> String {
    format!(r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" font-size="{size}">{words}</text>"#) + "\n"
}

fn legend() -> String {
    let (y, baseline) = (60.0, 64.0);
    [
        format!(r#"<circle cx="66" cy="{y}" r="3" fill="{READING}"/>"#),
        text(78.0, baseline, "start", 13.0, "weekly reading"),
        format!(r#"<path d="M196,{y}h24" stroke="{FIT}" stroke-width="2"/>"#),
        text(228.0, baseline, "start", 13.0, "parabola and seasons, fitted"),
        format!(r#"<rect x="436" y="{}" width="14" height="14" fill="{GAP}"/>"#, y - 7.0),
        text(458.0, baseline, "start", 13.0, "weeks without a reading"),
    ]
    .concat()
}

/// An area of the page with a range of years and of concentrations.
struct Panel {
    top: f64,
    height: f64,
    years: Range<f64>,
    co2: Range<f64>,
}

impl Panel {
    const LEFT: f64 = 60.0;
    const WIDTH: f64 = 870.0;

    fn x(&self, year: f64) -> f64 {
        Panel::LEFT + Panel::WIDTH * (year - self.years.start) / (self.years.end - self.years.start)
    }

    fn y(&self, co2: f64) -> f64 {
        self.top + self.height * (self.co2.end - co2) / (self.co2.end - self.co2.start)
    }

    /// Grid lines with their labels, and the line at the bottom.
    fn axes(&self, year_step: f64, co2_step: f64) -> String {
        let (right, bottom) = (Panel::LEFT + Panel::WIDTH, self.top + self.height);
        let levels = ticks(&self.co2, co2_step).map(|co2| {
            let y = self.y(co2);
            let line = format!(r##"<path d="M{},{y:.1}H{right}" stroke="#e6e8ee"/>"##, Panel::LEFT);
            line + &text(Panel::LEFT - 8.0, y + 4.0, "end", 12.0, &co2.to_string())
        });
        let dates = ticks(&self.years, year_step).map(|year| {
            let x = self.x(year);
            let line = format!(r#"<path d="M{x:.1},{bottom}v5" stroke="{INK}"/>"#);
            line + &text(x, bottom + 20.0, "middle", 12.0, &year.to_string())
        });
        let base = format!(r#"<path d="M{},{bottom}H{right}" stroke="{INK}"/>"#, Panel::LEFT) + "\n";
        levels.chain(dates).chain([base]).collect()
    }

    /// Gaps, readings and fit, one above the other.
    fn draw(&self, weeks: &[Week], dot: f64, line: f64) -> String {
        let weeks = || weeks.iter().filter(|week| self.years.contains(&week.year));
        let gaps: String = weeks()
            .filter(|week| week.co2.is_nan())
            .map(|week| {
                let (x, width) =
                    (self.x(week.year - WEEK / 2.0), self.x(week.year + WEEK) - self.x(week.year));
                format!("M{x:.2},{}h{width:.2}v{}h-{width:.2}z", self.top, self.height)
            })
            .collect();
        // A line of no length with round caps is a dot.
        let readings: String = weeks()
            .filter(|week| !week.co2.is_nan())
            .map(|week| format!("M{:.2},{:.2}h0.01", self.x(week.year), self.y(week.co2)))
            .collect();
        let fit: Vec<String> =
            weeks().map(|week| format!("{:.2},{:.2}", self.x(week.year), self.y(week.fit))).collect();
        [
            format!(r#"<path d="{gaps}" fill="{GAP}"/>"#),
            format!(
                r#"<path d="{readings}" stroke="{READING}" stroke-width="{dot}" stroke-linecap="round" fill="none"/>"#
            ),
            format!(
                r#"<polyline points="{}" stroke="{FIT}" stroke-width="{line}" stroke-linejoin="round" fill="none"/>"#,
                fit.join(" ")
            ),
            String::new(),
        ]
        .join("\n")
    }
}

/// The multiples of `step` in a range.
fn ticks(range: &Range<f64>, step: f64) -> impl Iterator<Item = f64> {
    let end = range.end;
    successors(Some((range.start / step).ceil() * step), move |tick| Some(tick + step))
        .take_while(move |tick| *tick <= end)
}
