//! The picture: for each pair the floor as a bar, p50 and p99 as points; beside it the part above the floor on a scale of
//! its own, since it may be a hundredth of the way.

use std::fmt::Write;

/// A pair's figures in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// Ready for HTML.
    pub(super) label: String,
    pub(super) floor: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) own_p50: f64,
    pub(super) own_p99: f64,
}

const WIDTH: f64 = 860.0;
const TOP: f64 = 64.0;
const ROW: f64 = 32.0;

/// Lines of a panel's grid, beside the one at 0.
const TICKS: u32 = 4;

/// One scale with its points.
struct Panel {
    title: &'static str,
    left: f64,
    width: f64,
    /// Milliseconds at the right end.
    end: f64,
}

impl Panel {
    fn x(&self, millis: f64) -> f64 {
        self.left + self.width * millis / self.end
    }
}

/// Draws the rows, the first on top.
pub(super) fn svg(rows: &[Row]) -> String {
    let most = |value: fn(&Row) -> f64| rows.iter().map(value).fold(0.0, f64::max);
    let delivery = Panel {
        title: "Delivery, ms",
        left: 170.0,
        width: 380.0,
        end: round_up(most(|row| row.p99)),
    };
    let own = Panel {
        title: "Above the floor, ms",
        left: 610.0,
        width: 200.0,
        end: round_up(most(|row| row.own_p99)),
    };
    let bottom = TOP + ROW * rows.len() as f64;
    let height = bottom + 30.0;
    let mut out = format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"plot-title\">\n<title id=\"plot-title\">\
         Delivery between pairs of regions: emulated floor, p50 and p99. The table below has the numbers.</title>\n",
    );
    legend(&mut out);
    for panel in [&delivery, &own] {
        grid(&mut out, panel, bottom);
    }
    for (row, place) in rows.iter().zip(0_u32..) {
        let y = TOP + ROW * (f64::from(place) + 0.5);
        let _ = writeln!(
            out,
            "<text x=\"0\" y=\"{:.1}\">{}</text>",
            y + 4.5,
            row.label
        );
        let (left, width) = (delivery.left, delivery.x(row.floor) - delivery.left);
        let _ = writeln!(
            out,
            "<rect class=\"floor\" x=\"{left}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"12\" rx=\"2\"/>",
            y - 6.0
        );
        points(&mut out, &delivery, y, row.p50, row.p99);
        points(&mut out, &own, y, row.own_p50, row.own_p99);
    }
    out.push_str("</svg>\n");
    out
}

fn legend(out: &mut String) {
    out.push_str(
        "<rect class=\"floor\" x=\"0\" y=\"8\" width=\"22\" height=\"12\" rx=\"2\"/><text x=\"30\" y=\"18.5\">floor</text>\n\
         <circle class=\"half\" cx=\"87\" cy=\"14\" r=\"5\"/><text x=\"99\" y=\"18.5\">p50</text>\n\
         <circle class=\"late\" cx=\"147\" cy=\"14\" r=\"4.5\"/><text x=\"159\" y=\"18.5\">p99</text>\n",
    );
}

fn grid(out: &mut String, panel: &Panel, bottom: f64) {
    let _ = writeln!(
        out,
        "<text class=\"head\" x=\"{}\" y=\"{}\">{}</text>",
        panel.left,
        TOP - 14.0,
        panel.title
    );
    for tick in 0..=TICKS {
        let millis = panel.end * f64::from(tick) / f64::from(TICKS);
        let x = panel.x(millis);
        let _ = writeln!(
            out,
            "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>\
             <text class=\"quiet\" x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{millis}</text>",
            bottom + 18.0
        );
    }
}

fn points(out: &mut String, panel: &Panel, y: f64, p50: f64, p99: f64) {
    let (half, late) = (panel.x(p50), panel.x(p99));
    let _ = writeln!(
        out,
        "<line class=\"span\" x1=\"{half:.1}\" x2=\"{late:.1}\" y1=\"{y}\" y2=\"{y}\"/>\
         <circle class=\"late\" cx=\"{late:.1}\" cy=\"{y}\" r=\"4.5\"/>\
         <circle class=\"half\" cx=\"{half:.1}\" cy=\"{y}\" r=\"5\"/>",
    );
}

/// The next end of a scale that divides well: 1, 2, 4 or 8 times a power of ten.
fn round_up(most: f64) -> f64 {
    let power = 10_f64.powf(most.max(0.1).log10().floor());
    let steps = [1.0, 2.0, 4.0, 8.0, 10.0].map(|step| step * power);
    let fits = steps.into_iter().find(|end| *end >= most);
    fits.unwrap_or(10.0 * power)
}

/// Milliseconds as text: three digits that mean something.
pub(super) fn millis(value: f64) -> String {
    let digits = match value {
        ..10.0 => 2,
        10.0..100.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_at_a_round_number_above_all() {
        let ends = [0.0, 0.15, 1.0, 3.1, 7.0, 9.0, 83.0, 161.0].map(round_up);
        assert_eq!(ends, [0.1, 0.2, 1.0, 4.0, 8.0, 10.0, 100.0, 200.0]);
    }

    #[test]
    fn each_row_is_drawn_in_both_panels() {
        let row = Row {
            label: "a → b".to_owned(),
            floor: 80.0,
            p50: 82.0,
            p99: 90.0,
            own_p50: 2.0,
            own_p99: 10.0,
        };
        let svg = svg(&[row.clone(), row]);
        assert_eq!(svg.matches("<line class=\"span\"").count(), 4);
        assert_eq!(svg.matches("a → b").count(), 2);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}
