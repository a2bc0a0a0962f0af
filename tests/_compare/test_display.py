"""Pictures and pages of a comparison: what is on them, and that nothing overlaps."""

import base64
import dataclasses
import html.parser
import re
import sys

import matplotlib
import numpy as np
import pandas
import pytest
from sklearn.datasets import load_wine
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier

from sknorm import NormalizerComparisonDisplay, compare_normalizers
from sknorm._compare.analysis.measured import Measured
from sknorm._compare.plots.loss import spread_apart
from sknorm._compare.plots.style import COLORS, DASHES, MARKERS, short_names, style

matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

X, Y = load_wine(return_X_y=True)
TEN = [
    *("none", "BatchStatScaler", "PowerNormScaler", "LayerScaler", "L1Normalizer", "L2Normalizer"),
    *("MaxNormalizer", "StandardScaler", "RobustScaler", "MinMaxScaler"),
]
# With as long a name as is written.
LONG = {"LayerScaler": "LayerScaler(channels=1, epsilon=1e-3)"}
KINDS = ["scores", "loss", "sensitivity", "distributions"]


@pytest.fixture(scope="module")
def comparison():
    model = MLPClassifier(hidden_layer_sizes=(4,), max_iter=8)
    return compare_normalizers(model, X, Y, normalizers=TEN, cv=2, n_seeds=2, random_state=0)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def overlaps(boxes):
    return [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]


def crossed_by_leaders(texts, boxes):
    """Return the labels that a line to a label runs through."""
    crossed = []
    for text in texts:
        patch = text.arrow_patch
        line = patch.get_transform().transform_path(patch.get_path())
        crossed += [
            (text.get_text(), other.get_text())
            for other, box in zip(texts, boxes, strict=True)
            if line.intersects_bbox(box.padded(-0.5), filled=False)
        ]
    return crossed


@pytest.mark.parametrize("kind", KINDS)
def test_labels_of_ten_normalizers_do_not_overlap(comparison, kind):
    display = comparison.plot(kind=kind)
    display.figure_.canvas.draw()
    axes = display.ax_
    labels = [label for label in axes.get_yticklabels() if label.get_text()]
    texts = [text for text in axes.texts if text.get_text()]
    if kind == "loss":
        assert sorted(text.get_text() for text in texts) == sorted(TEN)
        # Of the words alone: that of an annotation includes its line.
        boxes = [matplotlib.text.Text.get_window_extent(text) for text in texts]
        assert overlaps(boxes) == []
        assert crossed_by_leaders(texts, boxes) == []
    else:
        assert [label.get_text() for label in labels] == TEN
        assert overlaps([label.get_window_extent() for label in [*labels, *texts]]) == []
    assert overlaps([label.get_window_extent() for label in axes.get_xticklabels()]) == []


def test_all_kinds_in_one_figure(comparison):
    display = comparison.plot()
    assert isinstance(display, NormalizerComparisonDisplay)
    assert len(display.axes_) == 4
    assert display.ax_ is display.axes_[0]
    assert display.figure_ is display.ax_.figure
    assert all(axes.get_title(loc="left") for axes in display.axes_)


def test_given_axes_are_drawn_on(comparison):
    figure, axes = plt.subplots(2, 2)
    assert comparison.plot(ax=axes).figure_ is figure
    _, single = plt.subplots()
    assert comparison.plot(kind="loss", ax=single).ax_ is single
    with pytest.raises(ValueError, match="ax must hold 1 or 4 Axes"):
        comparison.plot(ax=axes[0])
    with pytest.raises(ValueError, match="kind must be 'all' or one of scores"):
        comparison.plot(kind="pie")


def test_four_pictures_take_the_place_of_one(comparison):
    figure, (left, right) = plt.subplots(1, 2)
    display = comparison.plot(ax=left)
    assert len(display.axes_) == 4
    assert display.figure_ is figure
    places = [axes.get_position() for axes in display.axes_]
    assert overlaps(places) == []
    assert max(place.x1 for place in places) <= left.get_position().x1 + 1e-9
    assert not left.axison
    assert right.axison


@pytest.mark.parametrize(
    ("kind", "ax", "error"),
    [("scores", "junk", TypeError), ("loss", "two", ValueError), ("all", "free", ValueError)],
)
def test_bad_axes_are_known_before_the_work(kind, ax, error):
    figure = plt.figure()
    given = {"two": figure.subplots(1, 2), "free": figure.add_axes([0, 0, 1, 1])}.get(ax, ax)
    with pytest.raises(error, match="ax must"):
        NormalizerComparisonDisplay.from_estimator("not looked at", X, Y, kind=kind, ax=given)


def test_from_estimator():
    display = NormalizerComparisonDisplay.from_estimator(
        KNeighborsClassifier(), X, Y, normalizers=["none", "LayerScaler"], cv=2, random_state=0
    )
    assert display.comparison.best_name_ is not None
    assert len(display.axes_) == 2, "no losses, and one initialization per fold"
    with pytest.raises(ValueError, match="kind must be"):
        NormalizerComparisonDisplay.from_estimator("not looked at", X, Y, kind="pie")


@pytest.fixture(scope="module")
def without_losses():
    return compare_normalizers(
        KNeighborsClassifier(), X, Y, normalizers=["none", "LayerScaler"], cv=2, random_state=0
    )


def test_no_picture_of_losses_that_there_are_not(without_losses, tmp_path):
    whole = without_losses.plot()
    whole.figure_.canvas.draw()
    assert "Training loss" not in "".join(one.get_title(loc="left") for one in whole.axes_)
    assert overlaps([one.get_tightbbox() for one in whole.axes_]) == []
    _, single = plt.subplots()
    assert len(without_losses.plot(ax=single).axes_) == 2
    text = without_losses.to_html(tmp_path / "a.html").read_text(encoding="utf-8")
    assert len(Page(text).all("img")) == 2
    assert "Training loss" not in text


@pytest.mark.parametrize("kind", ["loss", "all"])
def test_an_empty_picture_says_why(without_losses, kind):
    _, grid = plt.subplots(2, 2)
    display = without_losses.plot(kind=kind, ax=grid if kind == "all" else grid[0, 1])
    axes = display.axes_[1 if kind == "all" else 0]
    assert [text.get_text() for text in axes.texts] == ["this model records no loss by epoch"]
    assert not axes.axison
    assert axes.get_xlabel() == axes.get_ylabel() == ""


def test_a_lost_normalizer_has_no_mean_in_the_margin(comparison):
    lost = far_off(comparison, 0, np.nan).plot(kind="scores").ax_
    assert not [text for text in lost.texts if text.get_text().startswith("mean ")]


def test_scores_are_where_they_were_measured(comparison):
    axes = comparison.plot(kind="scores").ax_
    shown = [line.get_xdata()[0] for line in axes.lines if line.get_marker() in MARKERS]
    measured = [row.test_score.estimate for row in comparison.measures_.values()]
    assert shown == pytest.approx(measured)


def drawn(axes):
    """Return the values of all lines along x, but for the baseline's."""
    lines = [line for line in axes.lines if line.get_linestyle() != "--"]
    values = np.concatenate([np.asarray(line.get_xdata(), dtype=float) for line in lines])
    return values[np.isfinite(values)]


def far_off(comparison, place, shift):
    """Return the comparison as it were, had one normalizer scored otherwise by so much."""
    name = TEN[place]
    runs = [
        dataclasses.replace(run, test_score=run.test_score + shift * (1 + run.fold))
        if run.normalizer == name
        else run
        for run in comparison._measured.runs
    ]
    # As of a function of one's own, of which nothing says how bad is as bad as any.
    design = dataclasses.replace(comparison.setting_, floor=-np.inf, best_possible=None)
    return type(comparison)(Measured(runs, design, comparison._measured.pipelines, "norm", X, Y))


@pytest.mark.parametrize("shift", [0.0, -0.1, 0.1])
def test_all_intervals_and_folds_are_within_the_picture(comparison, shift):
    axes = far_off(comparison, 0, shift).plot(kind="scores").ax_
    low, high = axes.get_xlim()
    assert low < drawn(axes).min()
    assert drawn(axes).max() < high
    assert "arrow" not in axes.get_xlabel()


@pytest.mark.parametrize("shift", [-1e5, 1e5])
def test_what_is_far_off_squashes_nothing_and_is_marked(comparison, shift):
    place = 3
    display = far_off(comparison, place, shift).plot(kind="scores")
    axes = display.ax_
    low, high = axes.get_xlim()
    values = drawn(axes)
    kept = values[abs(values) < 100]
    assert low < kept.min()
    assert kept.max() < high
    assert kept.max() - kept.min() > 0.5 * (high - low)
    assert "arrows: more beyond the edge" in axes.get_xlabel()
    marked = {tuple(mark) for marks in axes.collections for mark in marks.get_offsets().tolist()}
    edge = low if shift < 0 else high
    assert {(edge, place), (edge, place + 0.2)} <= marked
    display.figure_.canvas.draw()
    [label] = [text for text in axes.texts if text.get_text().startswith("mean ")]
    height = axes.transData.transform((0, place))[1]
    assert label.get_window_extent().y0 > height, "the interval does not strike it through"


def with_names(comparison, names):
    """Return the comparison with other names of its normalizers, in their order."""
    named = dict(zip(TEN, names, strict=True))
    runs = [
        dataclasses.replace(run, normalizer=named[run.normalizer])
        for run in comparison._measured.runs
    ]
    setting = dataclasses.replace(
        comparison.setting_,
        names=tuple(names),
        baseline=names[0],
        reference=named["StandardScaler"],
    )
    pipelines = {named[name]: made for name, made in comparison._measured.pipelines.items()}
    return type(comparison)(Measured(runs, setting, pipelines, "norm", X, Y))


def seen_labels(axis):
    """Return the labels of ticks, without those of ticks beyond the limits."""
    low, high = sorted(axis.get_view_interval())
    return [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]


def beyond(axes, place):
    """Return what is written beyond a place of the figure, which is in pixels."""
    written = [label for axis in (axes.xaxis, axes.yaxis) for label in seen_labels(axis)]
    written += [*axes.texts, axes.xaxis.label, axes.yaxis.label, axes.title, axes._left_title]
    boxes = {
        text.get_text(): matplotlib.text.Text.get_window_extent(text)
        for text in written
        if text.get_text() and text.get_visible()
    }
    assert boxes
    return [
        name
        for name, box in boxes.items()
        if box.x0 < place.x0 or box.y0 < place.y0 or box.x1 > place.x1 or box.y1 > place.y1
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_all_that_is_written_is_within_a_figure_of_the_user(comparison, kind):
    figure, axes = plt.subplots(figsize=(8, 4.8))
    comparison.plot(kind=kind, ax=axes)
    figure.canvas.draw()
    assert beyond(axes, figure.bbox) == []
    assert axes.get_position().width > 0.35


def test_a_layout_that_was_chosen_stays(comparison):
    figure, axes = plt.subplots(layout="tight")
    chosen = figure.get_layout_engine()
    comparison.plot(kind="scores", ax=axes)
    assert figure.get_layout_engine() is chosen


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_in_a_grid_overlaps_no_neighbor(comparison, kind):
    figure, grid = plt.subplots(2, 2, figsize=(12, 8))
    comparison.plot(kind=kind, ax=grid[0, 1])
    figure.canvas.draw()
    boxes = [axes.get_tightbbox() for axes in grid.flat]
    assert overlaps(boxes) == []


def test_four_pictures_in_the_place_of_one_are_within_the_figure(comparison):
    figure, axes = plt.subplots(figsize=(12, 9))
    display = comparison.plot(ax=axes)
    figure.canvas.draw()
    assert [beyond(one, figure.bbox) for one in display.axes_] == [[]] * 4
    assert overlaps([one.get_tightbbox() for one in display.axes_]) == []


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_of_a_page_follow_dark_mode_and_narrow_screens(comparison, kind):
    """Every color that is drawn is one that has a dark counterpart, or is seen on both."""
    from sknorm._compare.html.report import _figures
    from sknorm._compare.plots.dark import DARK

    figure = _figures(comparison._measured)[kind]
    images = re.findall(r"base64,([A-Za-z0-9+/=]+)", figure)
    assert len(images) == 2
    assert '<source media="(max-width: 640px)"' in figure
    for image in images:
        svg = base64.b64decode(image).decode()
        assert "@media (prefers-color-scheme: dark)" in svg
        used = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", svg))
        for color in used - set(DARK):
            light = np.dot([int(color[i : i + 2], 16) for i in (1, 3, 5)], [0.3, 0.59, 0.11])
            assert 90 < light < 190, f"{color} is hard to see on one of the two"


def test_long_names_leave_room_and_stay_apart(comparison):
    long = [f"Scaler({'option=1, ' * 3}momentum=0.{place})" for place in range(10)]
    renamed = with_names(comparison, long)
    display = renamed.plot(kind="all")
    display.figure_.canvas.draw()
    for axes in display.axes_:
        assert axes.get_position().width > 0.25
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert len(set(labels)) == 10
    assert max(map(len, labels)) <= 24
    assert long[0] in str(renamed), "in full where there is room"


def test_short_names():
    assert short_names(["none", "x" * 24]) == ["none", "x" * 24]
    middle = [f"{'a' * 30}{place}{'b' * 30}" for place in range(3)]
    assert len(set(short_names(middle))) == 3


def test_distributions_are_quantiles_of_the_data(comparison):
    found = comparison._measured.distributions
    assert len(found.features) == 6
    expected = np.quantile(X[:, found.features], [0.05, 0.25, 0.5, 0.75, 0.95], axis=0).T
    assert found.quantiles["none"] == pytest.approx(expected)
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    assert found.quantiles["BatchStatScaler"][:, 2] == pytest.approx(
        np.median(scaled[:, found.features], axis=0)
    )


def test_features_go_by_their_names():
    frame = pandas.DataFrame(X, columns=[f"column {place}" for place in range(13)])
    comparison = compare_normalizers(
        KNeighborsClassifier(), frame, Y, normalizers=["none", "BatchStatScaler"], cv=2
    )
    found = comparison._measured.distributions
    assert found.names == tuple(f"column {place}" for place in found.features)
    label = comparison.plot(kind="distributions").ax_.get_xlabel()
    assert "from the top: column 12, column" in label


def test_styles_differ_in_each_way():
    assert len({tuple(map(str, style(place).values())) for place in range(20)}) == 20
    assert all(style(p)["linestyle"] != style(p + 1)["linestyle"] for p in range(20))
    assert len(set(COLORS)) == 10
    assert len(DASHES) == 5


def contrast(color):
    """Return the contrast to white, as WCAG defines it."""
    channels = np.array(matplotlib.colors.to_rgb(color))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return 1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05)


@pytest.mark.parametrize("color", COLORS)
def test_lines_stand_out_from_white(color):
    assert contrast(color) >= 2.8


def test_spread_apart():
    placed = spread_apart([0.1, 0.5, 0.5, 0.5, 1.0], 0.1)
    assert placed == pytest.approx([0.1, 0.4, 0.5, 0.6, 1.0])
    assert np.diff(spread_apart([1.0] * 5, 0.1)) == pytest.approx([0.1] * 4)
    assert max(spread_apart([1.0] * 5, 0.1)) <= 1 + 1e-12


class Page(html.parser.HTMLParser):
    """Collects the tags of a page, and that each is closed."""

    VOID = frozenset({"meta", "img", "br", "source"})

    def __init__(self, text):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def test_page_is_whole_and_accessible(comparison, tmp_path):
    path = comparison.to_html(tmp_path / "a.html", title="Is <b> better?", notes=["5 & 6"])
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert page.all("html")[0]["lang"] == "en"
    assert "<title>Is &lt;b&gt; better?</title>" in text
    assert "5 &amp; 6" in text
    assert len(page.all("h1")) == 1
    assert len(page.all("img")) == 4
    for image in page.all("img"):
        assert len(image["alt"]) > 30
        assert base64.b64decode(image["src"].split(",")[1]).lstrip().startswith(b"<?xml")
    assert {attrs.get("scope") for attrs in page.all("th")} == {"row", "col"}
    assert len(page.all("caption")) == 4
    assert page.all("script") == page.all("link") == []
    outside = re.sub(r'src="data:[^"]*"', "", text)
    assert "http" not in outside, "a page of its own loads nothing"


def test_same_runs_give_the_same_page(comparison, tmp_path):
    first = comparison.to_html(tmp_path / "a.html").read_bytes()
    assert comparison.to_html(tmp_path / "b.html").read_bytes() == first


def test_without_matplotlib(comparison, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    text = comparison.to_html(tmp_path / "a.html").read_text(encoding="utf-8")
    assert "Pictures need matplotlib" in text
    with pytest.raises(ImportError, match="pip install matplotlib"):
        comparison.plot()


def test_notebook_fragment(comparison):
    page = Page(comparison._repr_html_())
    assert page.open == []
    assert len(page.all("table")) == 2
    assert len(page.all("tr")) == 2 * 11 + 1, "and what guessing gets"


def test_page_tells_of_training_gaps_seconds_and_warnings(comparison, tmp_path):
    text = comparison.to_html(tmp_path / "a.html").read_text(encoding="utf-8")
    details = text.split("Details</caption>")[1].split("</table>")[0]
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', details)
    cells = {name: re.findall("<td>(.*?)</td>", row) for name, row in rows}
    assert list(cells) == TEN
    kind = "ConvergenceWarning"
    for name, row in comparison.measures_.items():
        assert cells[name][1] == f"{row.train_score:.3f}"
        assert float(cells[name][2]) == pytest.approx(row.gap, abs=5e-4)
        assert cells[name][-1].split() == [str(row.warnings[kind]), kind]
    for heading in ("accuracy in training", "gap", "seconds to target", "warnings"):
        assert f'<th scope="col">{heading}</th>' in text
    assert "ConvergenceWarning (the raw features 4, BatchStatScaler 4," in comparison.summary()


def test_alternatives_of_pictures_give_the_numbers(comparison, without_losses, tmp_path):
    page = Page(comparison.to_html(tmp_path / "a.html").read_text(encoding="utf-8"))
    scores, loss, sensitivity, distributions = (image["alt"] for image in page.all("img"))
    for name, row in comparison.measures_.items():
        score = row.test_score
        assert f"{name} {score.estimate:.3f} ({score.low:.3f} to {score.high:.3f})" in scores
        assert re.search(rf"\b{name} \S+ after {row.epochs:g} epochs", loss)
        assert f"{name} {row.seed_std:.3f}" in sensitivity
        assert re.search(rf"\b{name} \S+ to \S+", distributions)
    text = without_losses.to_html(tmp_path / "b.html").read_text(encoding="utf-8")
    assert "Picture: sensitivity" not in text
    assert len(Page(text).all("img")) == 2


def test_losses_and_distributions_are_in_tables_below(comparison, tmp_path):
    text = comparison.to_html(tmp_path / "a.html").read_text(encoding="utf-8")
    losses, distributions = re.findall("<details>(.*?)</details>", text)
    for name in TEN:
        finals = [run.loss_curve[-1] for run in comparison._measured.runs if run.normalizer == name]
        assert f'row">{name}</th><td>{np.median(finals):.3g}</td>' in losses
    found = comparison._measured.distributions
    heads = re.findall('col">feature (.*?)</th>', distributions)
    assert heads == [str(place) for place in found.features]
    low, _, mid, _, high = found.quantiles["StandardScaler"][0]
    assert f"StandardScaler</th><td>{mid:.3g} ({low:.3g} to {high:.3g})</td>" in distributions
