"""A style at once: a painting's file becomes a checkpoint like any other, in a second or two."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stylize_live.engine.first_look.color_maps import add_output_map
from stylize_live.engine.first_look.description import describe
from stylize_live.engine.first_look.joint import load_joint_network
from stylize_live.engine.first_look.nearest import Recolored, load_nearest_style
from stylize_live.engine.first_look.painting import read_painting
from stylize_live.errors import StyleError
from stylize_live.nets.checkpoint import (
    Checkpoint,
    StyleInfo,
    Weights,
    as_saved,
    load_checkpoint,
    mix_weights,
    pack_checkpoint,
)
from stylize_live.nets.style_folders import WEIGHTS
from stylize_live.wording import shorten

log = logging.getLogger(__name__)

_MOST_KEPT = 32  # paintings: 4 MB each
# How much of the joint network is in a first look. The nearest style has the strokes, and spoils faces; the
# joint network has the painting's colors, and few strokes. Judged blind, docs/blind.md.
_JOINT = 0.4
_MOST_NAME = 200  # characters

Key = tuple[str, str]  # the digest of a painting's file, and its name


@dataclass(frozen=True, slots=True, eq=False)
class FirstLook:
    """What became of a painting.

    Attributes:
        checkpoint: its network, with both ends of boldness.
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
    nearest, joint = load_nearest_style()(description), load_joint_network()(description)
    style = load_checkpoint(WEIGHTS / f"{nearest.style}.safetensors")
    # All were trained from one base, so that weights can be mixed: see `Checkpoint.at`.
    bold, faithful = (
        mix_weights([_recolor(end, nearest), joint], [1 - _JOINT, _JOINT])
        for end in (style.weights, style.faithful or style.weights)
    )
    info = StyleInfo(shorten(path.stem, _MOST_NAME), title=shorten(path.name, _MOST_NAME))
    record = {"first_look": {"painting": digest, "nearest": nearest.style}}  # in place of a training record
    mixed = Checkpoint(info, style.architecture, bold, record, faithful)
    return FirstLook(as_saved(mixed), pack_checkpoint(mixed))


def _recolor(weights: Weights, colors: Recolored) -> Weights:
    changed = dict(weights)
    add_output_map(changed, colors.matrix - np.eye(3, dtype=np.float32), colors.shift)
    return changed
