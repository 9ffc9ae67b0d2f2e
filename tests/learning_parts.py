"""What tests of learning share: the real trainer, in steps as small as they can be."""

from __future__ import annotations

QUICK: dict[str, object] = {"crop": 64, "painting_size": 64}
