"""Optimised photos, kept in a folder: each takes minutes, and a report may be made in several goes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from torch import Tensor

from stylize_live.errors import SinkError
from stylize_live.evaluation.optimization import CONTENT_SHARE, OptimizationRun, optimize_image
from stylize_live.evaluation.results import OptimizationResult
from stylize_live.files import make_folder, replacing
from stylize_live.media.image.io import Still, write_image
from stylize_live.training.features import FeatureNetwork
from stylize_live.training.style_metrics import ImageErrors, StyleMetrics

_FOLDER = "optimised"


class OptimizationCache:
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

    def key(self, painting: Tensor, photo: Tensor, iterations: int) -> str:
        """The name under which a run is stored."""
        about = self._about + _bytes(painting) + _bytes(photo)
        return f"{hashlib.sha256(about).hexdigest()[:16]}-{iterations:04d}"

    def find(self, key: str) -> OptimizationResult | None:
        """A stored run."""
        try:
            stored = json.loads(self._file(key, ".json").read_text(encoding="utf-8"))
            errors = ImageErrors(float(stored["style"]), float(stored["content"]))
        except (OSError, ValueError, TypeError, KeyError):
            return None  # not there, or damaged: made again
        if not self._file(key, ".jpg").is_file():
            return None
        return OptimizationResult(errors, PurePosixPath(_FOLDER, f"{key}.jpg"))

    def make(
        self,
        painting: Tensor,
        photo: Tensor,
        iterations: int,
        *,
        on_iteration: Callable[[int], None],
    ) -> OptimizationResult:
        """Optimise and store, or give what is stored.

        Args:
            painting: (1, 3, H, W) in [0, 1] on the features' device.
            photo: (1, 3, h, w) likewise.
            iterations: of L-BFGS.
            on_iteration: called with the number of the iteration under way.

        Raises:
            SinkError: the folder cannot be written.
        """
        key = self.key(painting, photo, iterations)
        found = self.find(key)
        if found is None:
            metrics = StyleMetrics(self._features, [painting])
            found = self._store(key, optimize_image(metrics, photo, iterations, on_iteration=on_iteration))
        return found

    def _store(self, key: str, run: OptimizationRun) -> OptimizationResult:
        make_folder(self._report / _FOLDER)
        image, target = self._file(key, ".jpg"), self._file(key, ".json")
        write_image(image, Still(run.image))
        errors = {"style": run.errors.style, "content": run.errors.content}
        try:
            with replacing(target) as temporary:  # last, as the sign that all is there
                temporary.write_text(json.dumps(errors), encoding="utf-8")
        except OSError as error:
            raise SinkError(f"{target}: cannot write: {error.strerror}") from None
        return OptimizationResult(run.errors, PurePosixPath(_FOLDER, image.name))

    def _file(self, key: str, suffix: str) -> Path:
        return self._report / _FOLDER / f"{key}{suffix}"


def _bytes(tensor: Tensor) -> bytes:
    return tensor.detach().cpu().float().contiguous().numpy().tobytes()
