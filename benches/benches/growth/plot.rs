//! Plots: lines over a logarithmic axis, as SVG.

use std::fmt::Write as _;

/// One line of a plot.
#[derive(Debug)]
pub(crate) struct Series {
    name: &'static str,
    points: Vec<(f64, f64)>,
}

impl Series {
    pub(crate) const fn new(name: &'static str) -> Self {
        let points = Vec::new();
        Self { name, points }
    }

    pub(crate) fn point(&mut self, x: usize, y: f64) {
        let x = f64::from(u32::try_from(x).unwrap_or(u32::MAX));
        self.points.push((x, y));
    }
}

/// Lines with their axes: a logarithmic one of what grows, one from zero of what it costs.
#[derive(Debug)]
pub(crate) struct Plot {
    grows: &'static str,
    costs: &'static str,
    series: Vec<Series>,
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 90.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = 50.0;
const COLOURS: [&str; 3] = ["#0b6e99", "#b35900", "#4d7c0f"];

impl Plot {
    pub(crate) const fn new(grows: &'static str, costs: &'static str, series: Vec<Series>) -> Self {
        Self {
            grows,
            costs,
            series,
        }
    }

    pub(crate) fn svg(&self) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        );
        self.axes(&mut svg);
        for (series, colour) in self.series.iter().zip(COLOURS) {
            self.line(&mut svg, series, colour);
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn axes(&self, svg: &mut String) {
        let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
        for quarter in 0..=4 {
            let cost = self.most() * f64::from(quarter) / 4.0;
            let y = self.y(cost);
            let _ = writeln!(
                svg,
                "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\" stroke=\"#ddd\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{cost:.0}</text>",
                LEFT - 6.0,
                y + 4.0,
            );
        }
        for (x, _) in self.series.iter().take(1).flat_map(|series| &series.points) {
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{x}</text>",
                self.x(*x),
                bottom + 18.0,
            );
        }
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\
             <text transform=\"translate(16,{:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            f64::midpoint(LEFT, right),
            HEIGHT - 12.0,
            self.grows,
            f64::midpoint(TOP, bottom),
            self.costs,
        );
    }

    fn line(&self, svg: &mut String, series: &Series, colour: &str) {
        let place = |(x, y): &(f64, f64)| format!("{:.1},{:.1}", self.x(*x), self.y(*y));
        let places: Vec<_> = series.points.iter().map(place).collect();
        let (x, y) = series.points.last().copied().unwrap_or_default();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{}</text>",
            places.join(" "),
            self.x(x) + 8.0,
            self.y(y) + 4.0,
            series.name,
        );
    }

    fn x(&self, x: f64) -> f64 {
        let all = || self.series.iter().flat_map(|series| &series.points);
        let least = all().map(|(x, _)| *x).fold(f64::MAX, f64::min);
        let most = all().map(|(x, _)| *x).fold(least * 1.001, f64::max);
        LEFT + (x / least).ln() / (most / least).ln() * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, y: f64) -> f64 {
        HEIGHT - BOTTOM - y / self.most() * (HEIGHT - TOP - BOTTOM)
    }

    fn most(&self) -> f64 {
        let all = self.series.iter().flat_map(|series| &series.points);
        all.map(|(_, y)| *y).fold(1.0, f64::max) * 1.1
    }
}
