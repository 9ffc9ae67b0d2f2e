"""Optimised photos, kept in a folder: each takes minutes, and a report may be made in several goes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from torch import Tensor

from stylize_live.errors import SinkError
from stylize_live.files import replacing
from stylize_live.media.still import Still, write_still
from stylize_live.training.evaluation import CONTENT_SHARE, Errors, Yardstick
from stylize_live.training.features import FeatureNetwork
from stylize_live.training.findings import Optimised
from stylize_live.training.optimisation import SHOWN, Descent, optimise

_FOLDER = "optimised"


class Descents:
    """Optimises photos, and remembers what it made of them.

    A run is stored whole or not at all, under a name that depends on everything that it depends on.

    Args:
        report: folder of the report.
        features: what the errors are measured with.
    """

    def __init__(self, report: Path, features: FeatureNetwork) -> None:
        self._report, self._features = report, features
        digest = hashlib.sha256(str(CONTENT_SHARE).encode())
        for tensor in features.state_dict().values():
            digest.update(_bytes(tensor))
        self._about = digest.digest()

    def key(self, painting: Tensor, photo: Tensor) -> str:
        """The name under which a run is stored."""
        return hashlib.sha256(self._about + _bytes(painting) + _bytes(photo)).hexdigest()[:16]

    def find(self, key: str, iterations: int) -> Optimised | None:
        """A stored run, if it went far enough."""
        try:
            stored = json.loads(self._file(f"{key}.json").read_text(encoding="utf-8"))
            errors = {int(at): Errors(*map(float, both)) for at, both in stored.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return None  # not there, or damaged: made again
        if 0 not in errors or max(errors) < iterations:
            return None
        errors = {at: both for at, both in errors.items() if at <= iterations}
        shown = {at: PurePosixPath(_FOLDER, _picture(key, at)) for at in {*SHOWN, iterations} & set(errors)}
        return Optimised(
            errors, {at: shown[at] for at in sorted(shown) if (self._report / shown[at]).exists()}
        )

    def make(
        self,
        painting: Tensor,
        photo: Tensor,
        iterations: int,
        *,
        on_iteration: Callable[[int], None],
    ) -> Optimised:
        """Optimise and store, or give what is stored.

        Args:
            painting: (1, 3, H, W) in [0, 1] on the features' device.
            photo: (1, 3, h, w) likewise.
            iterations: of L-BFGS.
            on_iteration: called with the number of the iteration under way.

        Raises:
            SinkError: the folder cannot be written.
        """
        key = self.key(painting, photo)
        found = self.find(key, iterations)
        if found is None:
            yardstick = Yardstick(self._features, [painting])
            descent = optimise(yardstick, photo, iterations, on_iteration=on_iteration)
            self._store(key, descent)
            found = self.find(key, iterations)
        if found is None:
            raise SinkError(f"{self._report / _FOLDER}: what was written there cannot be read again")
        return found

    def _store(self, key: str, descent: Descent) -> None:
        target = self._file(f"{key}.json")
        try:
            target.parent.mkdir(exist_ok=True)
            for at, pixels in descent.pictures.items():
                write_still(self._file(_picture(key, at)), Still(pixels))
            with replacing(target) as temporary:  # last, as the sign that all is there
                errors = {at: (e.style, e.content) for at, e in descent.errors.items()}
                temporary.write_text(json.dumps(errors), encoding="utf-8")
        except OSError as error:
            raise SinkError(f"{target}: cannot write: {error.strerror}") from None

    def _file(self, name: str) -> Path:
        return self._report / _FOLDER / name


def _picture(key: str, at: int) -> str:
    return f"{key}-{at:04d}.jpg"


def _bytes(tensor: Tensor) -> bytes:
    return tensor.detach().cpu().float().contiguous().numpy().tobytes()
