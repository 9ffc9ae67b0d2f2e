"""Blind pairs: what is drawn, what judges see, which votes count, and what they come to."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny import random_pixels

from stylize_live.errors import UsageError
from stylize_live.evaluation.blind.pairs import Lot, Pair, choose_pairs, draw_lots, match_pairs
from stylize_live.evaluation.blind.sheets import write_sheets
from stylize_live.evaluation.blind.summary import summarise
from stylize_live.evaluation.blind.votes import (
    QUESTIONS,
    BlindKey,
    count_votes,
    empty_ballot,
    make_key,
    read_ballots,
    read_key,
    write_json,
)
from stylize_live.media.image.io import Still, read_image, write_image


def made_up(styles: int, photos: int, against: str = "peer") -> list[Pair]:
    """Pairs of files that are not there."""
    return [
        Pair(
            f"style-{s}",
            against,
            Path(f"painting-{s}.jpg"),
            Path(f"photo-{p}.jpg"),
            Path(f"ours/style-{s}/photo-{p}.png"),
            Path(f"{against}/style-{s}/photo-{p}.png"),
        )
        for s in range(styles)
        for p in range(photos)
    ]


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Two photos in one style, ours nearly black and theirs nearly white; theirs have a style more."""
    for name in ("one", "two"):
        write_image(tmp_path / f"{name}.jpg", Still(random_pixels(96, 64, len(name))))
        for who, shade, kind in (("ours", 10, "png"), ("theirs", 240, "jpg")):
            for style in ("wave", *(["other"] if who == "theirs" else [])):
                folder = tmp_path / who / style
                folder.mkdir(parents=True, exist_ok=True)
                write_image(folder / f"{name}.{kind}", Still(np.full((32, 48, 3), shade, np.uint8)))
    write_image(tmp_path / "painting.png", Still(random_pixels(50, 80, 9)))
    return tmp_path


def matched(folder: Path) -> list[Pair]:
    photos = [folder / "one.jpg", folder / "two.jpg"]
    return match_pairs({"wave": folder / "painting.png"}, photos, folder / "ours", "peer", folder / "theirs")


def test_results_are_matched_by_style_and_photo(folders: Path) -> None:
    one, two = matched(folders)
    assert (one.style, one.against) == ("wave", "peer")
    assert one.ours == folders / "ours" / "wave" / "one.png"
    assert two.theirs == folders / "theirs" / "wave" / "two.jpg"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: (f / "theirs/wave/two.jpg").unlink(), "theirs/wave: no result for the photo two"),
        (lambda f: (f / "ours/wave/one.webp").touch(), "ours/wave: several results for the photo one"),
        (lambda f: (f / "ours/wave").rename(f / "ours/waves"), "no style has a folder in both"),
        (lambda f: (f / "ours/other").mkdir(), "no painting for other"),
        (lambda f: (f / "ours").rename(f / "mine"), "ours: no such folder of results"),
    ],
)
def test_what_does_not_match_is_refused(
    change: Callable[[Path], object], message: str, folders: Path
) -> None:
    change(folders)
    with pytest.raises(UsageError, match=message):
        matched(folders)


def test_photos_of_one_name_are_refused(folders: Path) -> None:
    with pytest.raises(UsageError, match="two photos are called one"):
        match_pairs({}, [folders / "one.jpg", folders / "x" / "one.png"], folders, "peer", folders)


def test_of_many_pairs_styles_and_photos_are_shown_equally_often() -> None:
    chosen = choose_pairs(made_up(6, 10), 30, seed=1)
    assert len(set(chosen)) == 30
    assert set(Counter(pair.style for pair in chosen).values()) == {5}
    assert set(Counter(pair.photo for pair in chosen).values()) == {3}
    assert choose_pairs(made_up(6, 10), 30, seed=2) != chosen
    assert set(choose_pairs(made_up(2, 3), 100, seed=1)) == set(made_up(2, 3))


def test_lots_hide_who_is_who() -> None:
    pairs = made_up(4, 8, "one") + made_up(4, 8, "two")
    lots = draw_lots(pairs, seed=5)
    assert [lot.sheet for lot in lots] == [f"{i:03d}" for i in range(1, 65)]
    assert {lot.pair for lot in lots} == set(pairs)
    for against in ("one", "two"):
        sides = [lot.ours for lot in lots if lot.pair.against == against]
        assert Counter(sides) == {"A": 16, "B": 16}
        changes = sum(a != b for a, b in pairwise(sides))
        assert 8 <= changes <= 24  # neither blocks nor turns
    assert draw_lots(pairs, seed=5) == lots
    assert draw_lots(pairs, seed=6) != lots


def test_sheets_show_each_result_on_its_side_and_nothing_else(folders: Path) -> None:
    one, two = matched(folders)
    write_sheets([Lot("001", one, "A"), Lot("002", two, "B")], folders / "sheets", 120)
    assert sorted(p.name for p in (folders / "sheets").iterdir()) == ["001.png", "002.png"]
    for name, dark_first in (("001", True), ("002", False)):
        with Image.open(folders / "sheets" / f"{name}.png") as image:
            assert image.info == {}
        sheet = read_image(folders / "sheets" / f"{name}.png").pixels
        first, second = sheet[60, -300], sheet[60, -100]  # each result is 180 pixels wide
        assert (first[0] < 20, second[0] < 20) == (dark_first, not dark_first)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda f: write_image(f / "ours/wave/one.png", Still(random_pixels(48, 48))),
            "does not have the shape of the photo",
        ),
        (
            lambda f: write_image(f / "theirs/wave/one.jpg", read_image(f / "ours/wave/one.png")),
            "are the same image",
        ),
        (lambda f: (f / "sheets" / "old.png").touch(), "is not empty"),
    ],
)
def test_sheets_that_would_tell_nothing_are_refused(
    change: Callable[[Path], object], message: str, folders: Path
) -> None:
    (folders / "sheets").mkdir()
    change(folders)
    with pytest.raises(UsageError, match=message):
        write_sheets(draw_lots(matched(folders), seed=1), folders / "sheets", 120)


@pytest.fixture
def lots() -> list[Lot]:
    """Two styles, four photos."""
    return draw_lots(made_up(2, 4), seed=3)


def cast(path: Path, lots: list[Lot], judge: str, vote: Callable[[Lot, str], str]) -> Path:
    """Write a judge's votes."""
    votes = {lot.sheet: {question: vote(lot, question) for question in QUESTIONS} for lot in lots}
    write_json(path, {"judge": judge, "votes": votes})
    return path


def other(side: str) -> str:
    return "B" if side == "A" else "A"


def test_votes_are_counted_by_style_and_in_all(lots: list[Lot], tmp_path: Path) -> None:
    """One judge finds ours better in one style; the other finds all equal, but the painter's hand theirs."""
    write_json(tmp_path / "key.json", make_key(lots, "2026-11-20", "abc1234").model_dump())
    key = read_key(tmp_path / "key.json")
    first = cast(
        tmp_path / "1.json",
        lots,
        "first",
        lambda lot, _: lot.ours if lot.pair.style == "style-0" else other(lot.ours),
    )
    second = cast(tmp_path / "2.json", lots, "second", lambda lot, q: "=" if q == "show" else other(lot.ours))
    ballots = read_ballots([first, second], key)
    show = count_votes(key, ballots, "show", against="peer")
    assert (show.ours, show.theirs, show.equal) == (4, 4, 8)
    assert show.share == 0.25
    hand = count_votes(key, ballots, "hand", against="peer", style="style-1")
    assert (hand.ours, hand.theirs, hand.equal) == (0, 8, 0)
    words = summarise(key, ballots)
    assert "| peer | style-0 | show | 4 of 8 | 4 | 50% |" in words
    assert "| **peer** | **all** | hand | 4 of 16 | 0 | 25% |" in words
    assert "| 2026-11-20 | abc1234 | 4 | peer | show | 4 of 16 |" in words
    assert "hand: all judges agree on 4 of 8 sheets" in words
    assert "A was chosen by first 4, second 4." in words
    assert re.search(r"4 photos and 8 pairs, fewer than 12 and 60: a hint, no result", words)


def test_enough_photos_and_pairs_are_a_result(tmp_path: Path) -> None:
    lots = draw_lots(made_up(5, 12), seed=1)
    key = make_key(lots, "2026-11-20", "abc1234")
    files = [cast(tmp_path / f"{judge}.json", lots, judge, lambda lot, _: lot.ours) for judge in "ab"]
    words = summarise(key, read_ballots(files, key))
    assert "| **peer** | **all** | show | 120 of 120 | 0 | 100% |" in words
    assert "no result" not in words


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b["votes"].pop("003"), "x.json: sheet 003: no answer to 'show'"),
        (lambda b: b["votes"]["003"].pop("hand"), "x.json: sheet 003: no answer to 'hand'"),
        (lambda b: b["votes"].update({"009": {}}), "x.json: sheet 009 is not in the key"),
        (lambda b: b["votes"]["003"].update(beauty="A"), "sheet 003: unknown question 'beauty'"),
        (lambda b: b["votes"]["003"].update(show="C"), "wrong votes: votes 003 show: Input should be"),
        (lambda b: b["votes"]["003"].update(show=""), "wrong votes: votes 003 show: Input should be"),
        (lambda b: b.update(judge=""), "wrong votes: judge: "),
        (lambda b: b.pop("judge"), "wrong votes: judge: Field required"),
        (lambda b: b.update(judge="second"), "two files are from the judge second"),
        (lambda b: b.update(seen=True), "wrong votes: seen: "),
    ],
)
def test_votes_that_are_not_whole_are_refused(
    change: Callable[[dict[str, dict[str, object]]], object], message: str, lots: list[Lot], tmp_path: Path
) -> None:
    key = make_key(lots, "2026-11-20", "abc1234")
    path = cast(tmp_path / "x.json", lots, "first", lambda *_: "A")
    second = cast(tmp_path / "2.json", lots, "second", lambda *_: "B")
    assert len(read_ballots([path, second], key)) == 2
    ballot = json.loads(path.read_text())
    change(ballot)
    path.write_text(json.dumps(ballot))
    with pytest.raises(UsageError, match=re.escape(message)) as caught:
        read_ballots([path, second], key)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"judge": "a", "votes": {"001": {"show": "A", "show": "B"}}}', "show appears twice"),
        ("{", "wrong votes: Expecting"),
        ("[]", "wrong votes: file: "),
        (None, "cannot read the votes: No such file"),
    ],
)
def test_files_that_are_no_votes_are_refused(
    text: str | None, message: str, lots: list[Lot], tmp_path: Path
) -> None:
    if text is not None:
        (tmp_path / "x.json").write_text(text)
    with pytest.raises(UsageError, match=message):
        read_ballots([tmp_path / "x.json"], make_key(lots, "2026-11-20", "abc1234"))


def test_one_judge_is_not_enough_and_an_empty_ballot_is_none(lots: list[Lot], tmp_path: Path) -> None:
    key: BlindKey = make_key(lots, "2026-11-20", "abc1234")
    one = cast(tmp_path / "1.json", lots, "first", lambda *_: "A")
    with pytest.raises(UsageError, match="at least 2 are needed"):
        read_ballots([one], key)
    ballot = empty_ballot(lots)
    write_json(tmp_path / "2.json", {**ballot, "judge": "second"})
    with pytest.raises(UsageError, match=r"2\.json: wrong votes: votes 001 show"):
        read_ballots([one, tmp_path / "2.json"], key)
