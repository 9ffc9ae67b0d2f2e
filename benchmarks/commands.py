"""How a benchmark with several commands runs the one that was asked for."""

from __future__ import annotations

import argparse
import sys

from stylize_live.errors import StylizeError


def run_command(parser: argparse.ArgumentParser) -> int:
    """Run `options.run(options)` of what was asked for.

    Args:
        parser: each of its commands sets `run`.

    Returns:
        The exit code; an error of the user's making is one line.
    """
    options = parser.parse_args()
    try:
        options.run(options)
    except StylizeError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0
