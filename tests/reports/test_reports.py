"""What all reports share: pages that are whole in themselves, and charts."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from stylize_live.errors import SinkError, UsageError
from stylize_live.reports.charts import bars, curves, learning_curve, running_mean, scatter
from stylize_live.reports.page import render, write_text_file
from stylize_live.reports.plots import check_plot, write_plot
from stylize_live.reports.svg import Chart, ticks

FOREIGN = "a & <b>\"'{{ 7 * 6 }}\x1b\u202e\udcff"
SHOWN = "a & <b>\"'{{ 7 * 6 }}\\x1b\\u202e\\udcff"
SVG = "{http://www.w3.org/2000/svg}"


def tree(chart: Chart) -> ElementTree.Element:
    return ElementTree.fromstring(chart.__html__())


def places(chart: Chart) -> list[tuple[float, float]]:
    """Where its lines go, in pixels."""
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.-]+),([\d.-]+)", chart.drawn)]


def test_foreign_words_are_words_on_pages_and_in_charts(tmp_path: Path) -> None:
    chart = curves({FOREIGN: [(0, 1), (1, 2)], "b": [(0, 1)]}, FOREIGN, "y")
    write_plot(tmp_path / "a.html", FOREIGN, [(FOREIGN, chart)], about=FOREIGN)
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "<b>" not in page
    assert "42" not in page
    assert (
        page.count("a &amp; &lt;b&gt;") == 7
    )  # title twice, words, heading, label of the chart, axis, legend
    write_plot(tmp_path / "a.svg", FOREIGN, [(FOREIGN, chart)])
    drawn = ElementTree.parse(tmp_path / "a.svg")
    assert [text.text for text in drawn.iter(f"{SVG}text")].count(SHOWN) == 4


def test_a_plot_asks_nothing_of_the_network(tmp_path: Path) -> None:
    chart = curves({"a": [(0, 1), (1, 2)]}, "x", "y")
    for name in ("a.html", "a.svg"):
        write_plot(tmp_path / name, "title", [("heading", chart), ("heading", chart)], about="")
        text = (tmp_path / name).read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert not re.search(r"https?:|url\(|@import|src=|href=|<script", text)
        assert text.count("<svg") == 2 + name.endswith("svg")


def test_a_fact_that_is_missing_is_no_empty_place() -> None:
    with pytest.raises(Exception, match="'about' is undefined"):
        render("charts.html", title="t", charts=[])


def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="cannot write the report: No such file"):
        write_text_file(tmp_path / "no" / "a.html", "text")
    (tmp_path / "a.html").write_text("before")
    with pytest.raises(UnicodeEncodeError):
        write_text_file(tmp_path / "a.html", "half\udcff")
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]
    assert (tmp_path / "a.html").read_text() == "before"


def test_plots_are_pages_or_images(tmp_path: Path) -> None:
    for name in ("a.html", "a.SVG"):
        check_plot(tmp_path / name)
    for name in ("a.png", "a", "svg"):
        with pytest.raises(UsageError, match=r"plots end in \.html or \.svg"):
            check_plot(tmp_path / name)
    with pytest.raises(SinkError, match="no such folder"):
        check_plot(tmp_path / "no" / "a.svg")


def test_ticks_are_round_and_reach_all_values() -> None:
    assert ticks([0.43, 0.56]) == (0.4, 0.45, 0.5, 0.55, 0.6)
    assert ticks([0.0]) == (0, 0.5)
    assert ticks([0.7]) == (0.6, 0.8)


def test_points_are_well_formed_and_names_do_not_cover_each_other() -> None:
    points = {f"style & <{i}>": (0.5 + 0.01 * (i % 4), 0.5 + 0.02 * (i // 4)) for i in range(12)}
    drawn = tree(scatter(points, "content", "style"))
    labels = [text for text in drawn.iter("text") if text.text and text.text.startswith("style &")]
    assert len(labels) >= 10
    found = [(float(text.get("x", "")), float(text.get("y", ""))) for text in labels]
    long = 6.6 * len("style & <0>")
    for i, (x, y) in enumerate(found):
        assert all(abs(x - a) >= long or abs(y - b) >= 14 for a, b in found[:i])
    assert len(list(drawn.iter("circle"))) == 12


@pytest.mark.parametrize("count", [2, 3, 400, 4001])
def test_a_learning_curve_stays_in_its_frame_and_small(count: int) -> None:
    chart = learning_curve(range(0, 10 * count, 10), [100 / (i + 1) for i in range(count)])
    assert all(0 <= x <= chart.width and 0 <= y <= chart.height for x, y in places(chart))
    assert len(chart.__html__()) < 16_000


@pytest.mark.parametrize("value", [0.0, math.inf, math.nan])
def test_a_learning_curve_of_nothing(value: float) -> None:
    drawn = tree(learning_curve([1, 2], [value, value])).iter("path")
    assert not [path for path in drawn if re.search("nan|inf", path.get("d", ""))]


def test_running_mean_is_fair_at_first() -> None:
    assert running_mean([4.0, 4.0, 4.0]) == pytest.approx([4, 4, 4])
    assert running_mean([1.0, 0.0])[1] < 0.5


def test_a_curve_is_broken_where_nothing_is_known() -> None:
    chart = curves({"a": [(0, 1.0), (1, 2.0), (2, math.nan), (3, 1.0), (4, 1.0)]}, "x", "y")
    (line,) = [path.get("d", "") for path in tree(chart).iter("path") if "line" in path.get("class", "")]
    assert re.sub(r"[\d.,]", "", line) == "MLML"
    assert len(list(tree(curves({"a": []}, "x", "y")).iter("path"))) > 2
    assert len(places(curves({"a": [(0, math.nan)]}, "x", "y"))) == 0


def test_a_long_curve_keeps_its_peaks_and_the_file_is_small() -> None:
    points = [(float(i), 1.0) for i in range(100_000)]
    points[54_321], points[70_000] = (54_321.0, 10.0), (70_000.0, 0.0)
    chart = curves({"a": points}, "x", "y")
    heights = [y for _, y in places(chart)]
    assert heights.count(min(heights)) == heights.count(max(heights)) == 1
    assert len(chart.__html__()) < 10_000


def test_bars_and_their_values_stay_in_the_chart() -> None:
    rows = {
        "short": (1.0, 1.2, 1.3),
        "a name as long as any": (90.0, 100.0, 1000.0),
        "nothing": (0.0, 0.0, 0.0),
    }
    chart = bars(rows, "ms", lambda value: f"{value:.0f}")
    widths = [float(bar.get("width", "")) for bar in tree(chart).iter("rect")]
    assert widths[0] < widths[1] < chart.width
    assert widths[2] == 0
    for text in tree(chart).iter("text"):
        assert 0 <= float(text.get("x", "")) < chart.width - 10
    assert "100" in [text.text for text in tree(chart).iter("text")]
    assert tree(bars({"nothing": (0.0, 0.0, 0.0)}, "ms", str)) is not None
