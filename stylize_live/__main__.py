"""`python -m stylize_live`: the program `stylize-live`."""

from __future__ import annotations

import sys

from stylize_live.cli.app import main

if __name__ == "__main__":  # worker processes import this module, too
    sys.exit(main())
