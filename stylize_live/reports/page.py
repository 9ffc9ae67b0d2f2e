"""Pages that load nothing from elsewhere, and in which text from files is escaped.

Templates lie in `templates/`: `base.html` is the layout of all pages, `theme.css` their colours.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from stylize_live.errors import SinkError
from stylize_live.files import replacing
from stylize_live.wording import plain

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).with_name("templates")


def render(template: str, **facts: object) -> str:
    """Fill a template.

    Args:
        template: its file, such as "evaluation.html".
        facts: what it shows, by the names that it uses; text in them is escaped, charts are not.
    """
    return _environment().get_template(template).render(facts)


def write_text_file(path: Path, text: str) -> None:
    """Write a page or a file beside it, whole or not at all.

    Raises:
        SinkError: the file cannot be written.
    """
    try:
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SinkError(f"{path}: cannot write the report: {error.strerror}") from None


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # only when there is something to write

    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        finalize=_fit,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _fit(value: object) -> object:
    """Words as they can be shown; markup, which is a kind of str, as it is."""
    return plain(value) if type(value) is str else value
