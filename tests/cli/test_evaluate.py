"""`evaluate` on photos: paintings found by name, the report, going on, and errors in one line."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from small_features import SmallFeatures
from tiny import make_checkpoint, random_pixels

from stylize_live.cli.app import main
from stylize_live.errors import UsageError
from stylize_live.evaluation.optimization import OptimizationRun
from stylize_live.evaluation.paintings import find_paintings
from stylize_live.media.image.io import Still, read_image, write_image
from stylize_live.nets.checkpoint import save_checkpoint
from stylize_live.training.dataset import find_photos, split_photos
from stylize_live.training.style_metrics import ImageErrors


@pytest.fixture(autouse=True)
def time_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifteen times are for figures that somebody reads."""
    monkeypatch.setattr("stylize_live.evaluation.photos._TIMED_RUNS", 1)


@pytest.fixture
def features_file(monkeypatch: pytest.MonkeyPatch) -> Path:
    """What to give to --features; in place of conftest's, for speed."""
    monkeypatch.setattr("stylize_live.evaluation.photos.load_features", lambda *_, **__: SmallFeatures())
    return Path("small.safetensors")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(3):
        write_image(folder / f"photo {i}.png", Still(random_pixels(90 + 7 * i, 80, i)))
    return folder


@pytest.fixture
def painting(tmp_path: Path) -> Path:
    path = tmp_path / "somebody-tiny-1900.png"
    write_image(path, Still(random_pixels(100, 80, 9)))
    return path


def words(style: Path, photos: Path, report: Path, *more: object) -> list[str]:
    arguments = ["evaluate", style, "--photos", photos, "-o", report, "--size", 64, "--device", "cpu", *more]
    return [str(argument) for argument in arguments]


class References(HTMLParser):
    """What a page asks for, and the text between its tags."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[str] = []
        self.text = ""
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("src", "href") and value]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_likeness_needs_neither_paintings_nor_features(
    tiny_style: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report"
    assert main(words(tiny_style, photos, report)) == 0
    out = capsys.readouterr().out
    assert "SSIM" in out
    assert "error" not in out
    (style,) = json.loads((report / "figures.json").read_text())["styles"]
    assert style["style_error"] is None
    assert style["milliseconds"] > 0
    assert 0 < style["rmse"] < 1
    assert [photo["name"] for photo in style["photos"]] == ["photo 0", "photo 1", "photo 2"]
    assert not (report / "optimised").exists()


def test_long_names_of_photos_and_styles(tmp_path: Path, photos: Path, tiny_style: Path) -> None:
    style = tiny_style.rename(tmp_path / f"{200 * 'a'}.safetensors")
    (photos / "photo 0.png").rename(photos / f"{80 * '浪'}.png")
    report = tmp_path / "report"
    assert main(words(style, photos, report)) == 0
    assert len(list((report / "pictures").iterdir())) == 6


def test_the_report_has_everything_beside_it(
    tiny_style: Path,
    photos: Path,
    painting: Path,
    features_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    save_checkpoint(tmp_path / "other & one.safetensors", make_checkpoint("other & one", 1))
    report = tmp_path / "report"
    more = ("--paintings", painting, f"other & one={painting}", "--features", features_file)
    arguments = words(tiny_style, photos, report, *more, "--optimised", 2, "--iterations", 10, "--json")
    assert main([arguments[0], str(tmp_path / "other & one.safetensors"), *arguments[1:]]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures == json.loads((report / "figures.json").read_text())
    assert [style["name"] for style in figures["styles"]] == ["other & one", "tiny"]
    tiny = figures["styles"][1]
    assert tiny["style_error"] == pytest.approx(sum(p["style_error"] for p in tiny["photos"]) / 3, abs=1e-3)
    assert tiny["style_wasserstein"] > 0
    assert tiny["lpips"] is None
    first, second, third = (photo["optimised"] for photo in tiny["photos"])
    assert first["style_error"] < tiny["photos"][0]["style_error"]
    assert first != second
    assert third is None
    page = References(report / "index.html")
    assert "helpers, not the judge" in page.text
    assert "Beside optimisation: photo 1" in page.text
    assert not [name for name in page.found if ":" in name]
    local = [unquote(name) for name in page.found if not name.startswith("#")]
    assert len(local) == 2 * 2 * (1 + 3 * 2 + 2 * 2)  # each linked and shown: painting, pairs, optimised
    assert all((report / name).is_file() for name in local)
    assert len(list((report / "pictures").iterdir())) == 3 + 2 * (3 + 1)


def test_lpips_is_measured_without_paintings(
    tiny_style: Path,
    photos: Path,
    lpips_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = words(tiny_style, photos / "photo 0.png", tmp_path / "report", "--lpips", lpips_file)
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert "LPIPS" in out
    assert "helpers, not the judge" in " ".join(out.split())
    assert "Wasserstein" not in out
    (style,) = json.loads((tmp_path / "report" / "figures.json").read_text())["styles"]
    assert style["lpips"] == style["photos"][0]["lpips"] > 0


def test_features_are_those_of_lpips_where_none_are_named(
    tiny_style: Path,
    photos: Path,
    painting: Path,
    lpips_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded: list[Path] = []

    def load(source: Path, **_: object) -> SmallFeatures:
        loaded.append(source)
        return SmallFeatures()

    monkeypatch.setattr("stylize_live.evaluation.photos.load_features", load)
    more = ("--lpips", lpips_file, "--paintings", painting)
    assert main(words(tiny_style, photos / "photo 0.png", tmp_path / "report", *more)) == 0
    assert main(words(tiny_style, photos, tmp_path / "other", *more, "--features", "x.pth")) == 0
    assert loaded == [lpips_file, Path("x.pth")]
    assert json.loads((tmp_path / "report" / "figures.json").read_text())["features"] == lpips_file.name


def test_an_interrupted_evaluation_has_a_page_and_goes_on(
    tiny_style: Path,
    photos: Path,
    painting: Path,
    features_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    calls = 0

    def stopped_at_the_second(*_: object, **__: object) -> OptimizationRun:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return OptimizationRun(ImageErrors(1, 0.5), random_pixels(64, 64))

    monkeypatch.setattr("stylize_live.evaluation.optimization_cache.optimize_image", stopped_at_the_second)
    more = ("--paintings", painting, "--features", features_file, "--optimised", 2)
    arguments = words(tiny_style, photos, tmp_path / "report", *more)
    assert main(arguments) == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert "photo 0" in References(tmp_path / "report" / "index.html").text
    assert len(list((tmp_path / "report" / "optimised").glob("*.json"))) == 1
    assert main(arguments) == 0
    assert calls == 3


def test_of_a_large_folder_the_photos_kept_out_of_training(
    tiny_style: Path, photos: Path, tmp_path: Path
) -> None:
    for i in range(3, 24):
        write_image(photos / f"photo {i}.png", Still(random_pixels(80, 80, i)))
    assert main(words(tiny_style, photos, tmp_path / "report")) == 0
    (style,) = json.loads((tmp_path / "report" / "figures.json").read_text())["styles"]
    held_out = split_photos(find_photos(photos))[1]
    assert [photo["name"] for photo in style["photos"]] == [path.stem for path in held_out]


def test_strength_zero_is_the_original(tiny_style: Path, photos: Path, tmp_path: Path) -> None:
    assert main(words(tiny_style, photos, tmp_path / "report", "--strength", 0)) == 0
    (style,) = json.loads((tmp_path / "report" / "figures.json").read_text())["styles"]
    assert style["rmse"] == 0
    assert style["psnr"] is None
    assert style["ssim"] == 1


def test_styles_of_one_name_are_kept_apart(tmp_path: Path, photos: Path) -> None:
    styles = [tmp_path / folder / "mine.safetensors" for folder in ("a", "b")]
    for seed, path in enumerate(styles):
        path.parent.mkdir()
        save_checkpoint(path, make_checkpoint("mine", seed))
    arguments = words(styles[0], photos / "photo 0.png", tmp_path / "report")
    assert main([arguments[0], str(styles[1]), *arguments[1:]]) == 0
    found = json.loads((tmp_path / "report" / "figures.json").read_text())["styles"]
    assert [style["name"] for style in found] == [str(styles[1]), str(styles[0])]
    painted = sorted((tmp_path / "report" / "pictures").glob("*mine*"))
    assert len(painted) == 2
    assert (read_image(painted[0]).pixels != read_image(painted[1]).pixels).any()


def test_broken_photos_are_skipped_and_counted(tiny_style: Path, photos: Path, tmp_path: Path) -> None:
    (photos / "broken.jpg").write_bytes(b"no image")
    assert main(words(tiny_style, photos, tmp_path / "report")) == 0
    assert json.loads((tmp_path / "report" / "figures.json").read_text())["photos_skipped"] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "nothing to measure: give --photos"),
        (["--photos", "x", "--steadiness", "y"], 2, "nothing to measure: give --photos"),
        (["--photos", "x"], 2, "--output DIR"),
        (["--photos", "x", "-o", "r"], 4, "no such photo"),
        (["--photos", "x", "-o", "r", "--plot", "p.png"], 2, "--plot has no meaning with --photos"),
        (["--photos", "x", "-o", "r", "--paintings", "no"], 2, "no such file or folder"),
        (["--photos", "x", "-o", "r", "--size", "4"], 2, "--size"),
        (["--photos", "x", "-o", "r", "--lpips", "no.safetensors"], 8, "no such file of LPIPS weights"),
        (["--steadiness", "x", "--lpips", "y"], 2, "--lpips has no meaning with --steadiness"),
        (["stary-night", "--photos", "x", "-o", "r"], 3, "did you mean"),
        (["--steadiness", "x", "-o", "r"], 2, "--output has no meaning with --steadiness"),
        (["a", "b", "--steadiness", "x"], 2, "one style at a time"),
        (["--steadiness", "x", "--size", "200"], 2, "--size has no meaning with --steadiness"),
        (["--steadiness", "x", "--frames", "1"], 2, "--frames"),
        (["--photos", "x", "-o", "r", "--amount", "0.5"], 2, "--amount has no meaning with --photos"),
    ],
)
def test_errors_are_one_line(
    arguments: list[str],
    code: int,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", *arguments]) == code
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert not list(tmp_path.iterdir())


def test_a_page_that_is_no_report_is_left_alone(
    tiny_style: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("precious")
    assert main(words(tiny_style, photos, tmp_path / "site")) == 2
    assert "is not a report" in capsys.readouterr().err
    assert (tmp_path / "site" / "index.html").read_text() == "precious"


def test_paintings_are_found_by_their_names(tmp_path: Path) -> None:
    names = ["hokusai-great-wave-1831.jpg", "composition-vii-1913.jpg", "composition-viii-1923.jpg"]
    names += ["Van Gogh - Starry_Night.png", "starry-night-over-the-rhone.jpg", "starry-night.jpg", "a.txt"]
    for name in names:
        (tmp_path / name).touch()
    styles = ["great-wave", "composition-vii", "starry-night", "the-scream"]
    found = find_paintings([str(tmp_path)], styles)
    assert {style: path.name for style, path in found.items()} == {
        "great-wave": "hokusai-great-wave-1831.jpg",
        "composition-vii": "composition-vii-1913.jpg",
        "starry-night": "starry-night.jpg",
    }
    assert find_paintings([str(tmp_path / names[0])], ["mine"]) == {"mine": tmp_path / names[0]}


def test_a_style_with_two_paintings_needs_a_word(tmp_path: Path) -> None:
    for name in ("desert-1.jpg", "desert-2.jpg", "wave.jpg"):
        (tmp_path / name).touch()
    with pytest.raises(UsageError, match=r"desert-1.jpg, desert-2.jpg\): add desert=FILE"):
        find_paintings([str(tmp_path)], ["desert", "wave"])
    told = f"desert={tmp_path / 'desert-2.jpg'}"
    assert find_paintings([str(tmp_path), told], ["desert", "wave"])["desert"].name == "desert-2.jpg"
    with pytest.raises(UsageError, match="dessert is not one of the styles: desert, wave"):
        find_paintings(["dessert=x.jpg"], ["desert", "wave"])


def test_strips_are_left_out_and_paper_is_white(tiny_style: Path, photos: Path, tmp_path: Path) -> None:
    write_image(photos / "strip.png", Still(np.zeros((4, 400, 3), np.uint8)))
    hidden = Still(np.zeros((80, 80, 3), np.uint8), np.zeros((80, 80), np.uint8))
    write_image(photos / "alpha.png", hidden)
    assert main(words(tiny_style, photos, tmp_path / "report")) == 0
    figures = json.loads((tmp_path / "report" / "figures.json").read_text())
    assert figures["photos_skipped"] == 1
    (shown,) = (tmp_path / "report" / "pictures").glob("*-alpha.jpg")
    assert read_image(shown).pixels.min() > 250
