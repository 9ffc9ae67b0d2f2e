"""A style at once: a painting's file becomes a checkpoint like any other, in a second or two."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stylize_live.engine.first_look.description import describe
from stylize_live.engine.first_look.joint import load_joint_network
from stylize_live.engine.first_look.mixture import mix
from stylize_live.engine.first_look.painting import read_painting
from stylize_live.engine.first_look.predictor import Recipe, load_predictor
from stylize_live.errors import StyleError
from stylize_live.nets.checkpoint import Checkpoint, StyleInfo, as_saved, mix_weights, pack_checkpoint
from stylize_live.wording import shorten

log = logging.getLogger(__name__)

_MOST_KEPT = 32  # paintings: 4 MB each
# How much of the joint network is in a first look. The nearest style has the strokes, and spoils faces; the
# joint network has the painting's colors, and few strokes. Judged blind, docs/blind.md.
_JOINT = 0.4
_NAMED = 3  # of the shipped styles, in the training record
_MOST_NAME = 200  # characters

Key = tuple[str, str]  # the digest of a painting's file, and its name


@dataclass(frozen=True, slots=True, eq=False)
class FirstLook:
    """What became of a painting.

    Attributes:
        checkpoint: a network that is mixed of the shipped ones, with both ends of boldness.
        content: of a style file of it; reading that gives the very same weights.
    """

    checkpoint: Checkpoint
    content: bytes


_kept: OrderedDict[Key, FirstLook] = OrderedDict()
_lock = threading.Lock()
_looking = threading.Lock()  # at one painting at a time; whoever wants the same one waits for it


def look_at(path: Path) -> FirstLook:
    """Make a style of a painting.

    Asking again gives the same object: of a painting that was looked at already, only the file is compared.

    Args:
        path: an image, see `read_painting`.

    Raises:
        StyleError: no such file, not an image, or nothing to be seen on it.
    """
    key = _digest(path), path.name
    found = _recall(key)
    if found is None:
        with _looking:
            found = _recall(key) or _keep(key, _look(path, key[0]))
    return found


def was_looked_at(path: Path) -> bool:
    """Whether `look_at` would give what it remembers. Raises as it does of a file that cannot be read."""
    return _recall((_digest(path), path.name)) is not None


def _recall(key: Key) -> FirstLook | None:
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
        return _kept.get(key)


def _keep(key: Key, found: FirstLook) -> FirstLook:
    with _lock:
        _kept[key] = found
        if len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    return found


def _digest(path: Path) -> str:
    try:
        if not path.is_file():
            raise StyleError(
                f"{path}: {'is no file' if path.exists() else 'no such file'}, expected a painting"
            )
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:  # the latter of names that no file can have
        reason = error.strerror if isinstance(error, OSError) else error
        raise StyleError(f"{path}: cannot read the painting: {reason}") from None


def _look(path: Path, digest: str) -> FirstLook:
    log.info("looking at %s", path.name)
    description = describe(read_painting(path))
    recipe, joint = load_predictor()(description), load_joint_network()(description)
    architecture, *ends = mix(recipe)
    bold, faithful = (mix_weights([end, joint], [1 - _JOINT, _JOINT]) for end in ends)
    info = StyleInfo(shorten(path.stem, _MOST_NAME), title=shorten(path.name, _MOST_NAME))
    mixed = Checkpoint(info, architecture, bold, _record(recipe, digest), faithful)
    return FirstLook(as_saved(mixed), pack_checkpoint(mixed))


def _record(recipe: Recipe, digest: str) -> dict[str, Any]:
    """What stands in the style's file in place of a training record."""
    order = recipe.nearness.argsort()[::-1][:_NAMED]
    shares = {recipe.styles[place]: round(float(recipe.nearness[place]), 3) for place in order}
    nearest = {name: share for name, share in shares.items() if share}
    return {"first_look": {"painting": digest, "nearest": nearest}}
