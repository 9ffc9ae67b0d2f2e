"""What standard output and error can carry, whatever the code page of the machine."""

from __future__ import annotations

import codecs
import io
import os
import sys

_WINDOWS = sys.platform == "win32"
_ERRORS = "stylize-live-bytes-or-escapes"


def carry_all_text(stream: object) -> None:
    """Have a stream take any text instead of ending the program at a letter that it has no code for.

    Windows gives what is redirected into a file or a pipe the code page of its language, in which most names
    cannot be written: there it becomes UTF-8, unless PYTHONIOENCODING asks for something else. Elsewhere the
    user's locale stays. What still has no code is spelt out, such as \\u6d6a; names of files that are no text
    come out as the bytes they are.

    Args:
        stream: such as `sys.stdout`; what is no file of text is left alone.
    """
    if not isinstance(stream, io.TextIOWrapper):
        return
    if _WINDOWS and not stream.isatty() and not os.environ.get("PYTHONIOENCODING"):
        stream.reconfigure(encoding="utf-8")
    stream.reconfigure(errors="backslashreplace" if _WINDOWS else _ERRORS)


def _bytes_or_escapes(error: UnicodeError) -> tuple[str | bytes, int]:
    """Python's own handlers know one or the other."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    first = error.object[error.start]
    if "\udc80" <= first <= "\udcff":  # a byte of a file's name, as `os.fsdecode` keeps it
        return bytes([ord(first) - 0xDC00]), error.start + 1
    spelt, _ = codecs.backslashreplace_errors(
        UnicodeEncodeError(error.encoding, error.object, error.start, error.start + 1, error.reason)
    )
    return spelt, error.start + 1


codecs.register_error(_ERRORS, _bytes_or_escapes)
