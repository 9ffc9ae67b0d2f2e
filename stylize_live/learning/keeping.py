"""What was learnt as a style of the user's own, with a name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from stylize_live.errors import UsageError
from stylize_live.files import make_folder
from stylize_live.nets.checkpoint import Checkpoint, save_checkpoint
from stylize_live.nets.style_folders import own_folder, style_name, taken_names


def keep_style(name: str, checkpoint: Checkpoint) -> Path:
    """Write a style into the user's folder of styles.

    Args:
        name: for people; the file's is made of it.
        checkpoint: the style.

    Returns:
        The file.

    Raises:
        UsageError: the name makes none for a style, or there is such a style.
        SinkError: it cannot be written.
    """
    word = style_name(name)
    if not word:
        raise UsageError(f"{name!r} makes no name for a style")
    path = own_folder() / f"{word}.safetensors"
    if word in taken_names() or path.exists():
        raise UsageError(f"there is a style {word!r} already: choose another name")
    make_folder(path.parent)
    info = replace(checkpoint.info, name=word, title=checkpoint.info.title or name.strip())
    save_checkpoint(path, replace(checkpoint, info=info))
    return path
