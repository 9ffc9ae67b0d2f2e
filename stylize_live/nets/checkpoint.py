"""The style file: safetensors (no code inside, unlike pickle) with self-describing metadata.

Metadata keys, all strings as safetensors demands:
    format        always ``stylize_live.style``
    version       ``3``
    architecture  JSON object, see `Architecture`
    style         JSON object, see `StyleInfo`
    training      JSON object, free: settings and figures of the run that made it; "unfinished" in it is
                  the share of a run that was interrupted

Weights are stored as float16 (half the size; the loss is far below what an image shows) and
computed in float32 or whatever the engine chooses. A file may hold a second end, see `faithful_end`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from stylize_live.errors import SinkError, StyleError
from stylize_live.files import replacing
from stylize_live.nets import quantized_delta
from stylize_live.nets.architecture import FULL_BRIGHTNESS, Architecture
from stylize_live.options import ImageOptions, check_options
from stylize_live.wording import is_plain

if TYPE_CHECKING:
    from torch import Tensor

    from stylize_live.nets.transformer import ResidualTransformer

# In the training record of a style whose run was interrupted: the share of the budget that was used.
UNFINISHED = "unfinished"
Weights = dict[str, npt.NDArray[np.float32]]

FORMAT = "stylize_live.style"
VERSION = "3"
_WITHOUT_BRIGHTNESS = "2"  # the version before: the same, but for that weight
# A style is about a megabyte; whatever is larger than this is something else.
MAX_BYTES = 64 * 1024 * 1024
_MOST_TEXT = 1 << 20  # characters of a description: a long training record has a few thousand
_MOST_NAME = 300  # characters of a name, title, licence
# Kinds of numbers, as safetensors calls them.
_FLOATS, _STEPS, _SCALES = ("F16", "F32"), ("I8",), ("F16",)
_KEPT = 32  # styles between two ends: 1.5 MB each


@dataclass(frozen=True, slots=True)
class StyleInfo:
    """What a person wants to know about a style."""

    name: str
    title: str = ""
    artist: str = ""
    year: str = ""
    licence: str = ""
    source: str = ""

    @property
    def unfit(self) -> str:
        """The first field that cannot be shown on one line, or "". Files with such a field are refused."""
        values = asdict(self).items()
        return next((name for name, text in values if not is_plain(text) or len(text) > _MOST_NAME), "")


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A network's weights and their description. Equal to itself alone.

    Attributes:
        info: name, artist, licence.
        architecture: what network the weights belong to.
        weights: tensor name -> float32 array; the bold end where there are two.
        training: settings and figures of the training run.
        faithful: the other end, which keeps closer to the image, likewise; None if there is none.
    """

    info: StyleInfo
    architecture: Architecture
    weights: Weights
    training: dict[str, Any] = field(default_factory=dict)
    faithful: Weights | None = None

    def at(self, boldness: float) -> Checkpoint:
        """The style between its faithful end, 0, and its bold one, 1; without a faithful end always itself.

        Weights are interpolated (deep network interpolation, Wang et al., CVPR 2019, arXiv:1811.10515).
        Asking again gives the same object.

        Raises:
            UsageError: not in 0..1.
        """
        boldness = check_options(ImageOptions, boldness=boldness).boldness
        return self if self.faithful is None or boldness == 1 else _interpolate(self, boldness)

    def once_at(self, boldness: float) -> Checkpoint:
        """The same as `at`, for weights that will soon be replaced: nothing is kept."""
        return self if self.faithful is None or boldness == 1 else _interpolate.__wrapped__(self, boldness)

    def network(self) -> ResidualTransformer:
        """A new network in evaluation mode that carries these weights."""
        import torch

        from stylize_live.nets.transformer import ResidualTransformer

        network = ResidualTransformer(self.architecture)
        network.load_state_dict({name: torch.from_numpy(array) for name, array in self.weights.items()})
        return network.eval().requires_grad_(False)

    def digest(self) -> str:
        """A hash of architecture and weights; names and training records do not count."""
        digest = hashlib.sha256(json.dumps(self.architecture.to_dict(), sort_keys=True).encode())
        for name, array in sorted(self.weights.items()):
            digest.update(name.encode())
            digest.update(array.tobytes())
        return digest.hexdigest()


@lru_cache(maxsize=_KEPT)
def _interpolate(checkpoint: Checkpoint, boldness: float) -> Checkpoint:
    assert checkpoint.faithful is not None
    weights = mix_weights([checkpoint.faithful, checkpoint.weights], [1 - boldness, boldness])
    return replace(checkpoint, weights=weights, faithful=None)


def mix_weights(weights: Sequence[Weights], shares: Sequence[float]) -> Weights:
    """The sum of several networks' weights, each times its share."""
    return {
        name: np.sum([np.float32(share) * one[name] for share, one in zip(shares, weights, strict=True)], 0)
        for name in weights[0]
    }


def weights_of(state: Mapping[str, Tensor]) -> Weights:
    """The weights of a network's `state_dict`, wherever it is, as a checkpoint holds them."""
    return {name: tensor.detach().cpu().float().numpy() for name, tensor in state.items()}


def pack_checkpoint(checkpoint: Checkpoint) -> bytes:
    """The content of a style file."""
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "architecture": json.dumps(checkpoint.architecture.to_dict()),
        "style": json.dumps(asdict(checkpoint.info), ensure_ascii=False),
        "training": json.dumps(checkpoint.training),
    }
    tensors: dict[str, npt.NDArray[Any]] = {
        k: np.ascontiguousarray(v, np.float16) for k, v in checkpoint.weights.items()
    }
    if checkpoint.faithful is not None:
        # From what will be read, so that rounding it does not add to the difference.
        bold = {name: array.astype(np.float32) for name, array in tensors.items()}
        tensors |= quantized_delta.pack_delta(bold, checkpoint.faithful)
    return save(tensors, metadata)


def as_saved(checkpoint: Checkpoint) -> Checkpoint:
    """A style with the weights that reading its file would give."""
    bold = {name: array.astype(np.float16).astype(np.float32) for name, array in checkpoint.weights.items()}
    faithful = checkpoint.faithful
    if faithful is not None:
        faithful = quantized_delta.unpack_delta(bold, quantized_delta.pack_delta(bold, faithful))
    return replace(checkpoint, weights=bold, faithful=faithful)


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a style file, whole or not at all.

    Raises:
        SinkError: the file cannot be written.
    """
    content = pack_checkpoint(checkpoint)
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise SinkError(f"{path}: cannot write the style: {error.strerror}") from None


def is_unfinished(path: Path) -> bool:
    """Whether a file is a style whose training was interrupted; what is no style is none."""
    try:
        return UNFINISHED in read_info(path)[1]
    except StyleError:
        return False


def read_info(path: Path) -> tuple[StyleInfo, dict[str, Any]]:
    """The description and training record of a style file, without reading its weights.

    Raises:
        StyleError: as `load_checkpoint`.
    """
    with _open(path) as file:
        metadata = _metadata(path, file)
        return _info(path, metadata), _json_object(path, metadata, "training")


def load_checkpoint(path: Path) -> Checkpoint:
    """Read and validate a style file from any origin.

    Shapes are compared with the declared architecture before anything is allocated.

    Raises:
        StyleError: the file is missing, too large, truncated, of another project or version,
            declares an impossible network, or its tensors do not fit or are not finite.
    """
    with _open(path) as file:
        metadata = _metadata(path, file)
        info = _info(path, metadata)
        try:
            architecture = Architecture.from_dict(_json_object(path, metadata, "architecture"))
        except ValueError as error:
            raise StyleError(f"{path}: damaged style file: {error}") from None
        weights, faithful = _ends(path, file, architecture, metadata["version"])
    return Checkpoint(info, architecture, weights, _json_object(path, metadata, "training"), faithful)


def _ends(path: Path, file: Any, architecture: Architecture, version: str) -> tuple[Weights, Weights | None]:
    """The bold end and, if the file has one, the faithful end."""
    shapes = architecture.shapes()
    steps, scales = quantized_delta.shapes_of_steps(shapes), quantized_delta.shapes_of_scales(shapes)
    found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 (its handle is no mapping)
    if version == _WITHOUT_BRIGHTNESS:
        del shapes["brightness"]
    if found not in (shapes, shapes | steps | scales):
        raise StyleError(f"{path}: its weights do not fit the network it declares")
    weights = {name: _read(path, file, name, _FLOATS) for name in shapes}
    weights.setdefault("brightness", np.array([FULL_BRIGHTNESS], np.float32))
    if found == shapes:
        return weights, None
    difference = {name: _read(path, file, name, _STEPS) for name in steps}
    difference |= {name: _read(path, file, name, _SCALES) for name in scales}
    return weights, quantized_delta.unpack_delta(weights, difference)


def _read(path: Path, file: Any, name: str, kinds: tuple[str, ...]) -> npt.NDArray[np.float32]:
    # Asked first: whether numpy knows bfloat16 depends on what else has been loaded.
    if file.get_slice(name).get_dtype() not in kinds:
        raise StyleError(f"{path}: damaged style file: {name} has an unknown type of numbers")
    array = np.asarray(file.get_tensor(name), np.float32)
    if not np.isfinite(array).all():
        raise StyleError(f"{path}: damaged style file: some weights are not finite")
    return array


def _open(path: Path) -> Any:  # safetensors ships no types for its handle
    try:
        size = path.stat().st_size
    except (OSError, ValueError) as error:  # the latter of names that no file can have
        reason = error.strerror if isinstance(error, OSError) else error
        raise StyleError(f"{path}: cannot read the style: {reason}") from None
    if not path.is_file():
        raise StyleError(f"{path}: is not a file, expected a .safetensors style")
    if size > MAX_BYTES:
        raise StyleError(f"{path}: {size} bytes is not a style file (limit {MAX_BYTES})")
    try:
        return safe_open(path, framework="numpy")
    except (OSError, SafetensorError) as error:
        raise StyleError(f"{path}: not a safetensors file or damaged: {error}") from None


def _metadata(path: Path, file: Any) -> Mapping[str, str]:
    metadata: Mapping[str, str] = file.metadata() or {}
    if metadata.get("format") != FORMAT:
        raise StyleError(f"{path}: a safetensors file, but not a stylize_live style")
    if metadata.get("version") not in (VERSION, _WITHOUT_BRIGHTNESS):
        found = metadata.get("version")
        raise StyleError(f"{path}: style format {found}, this program reads {VERSION}: update it")
    return metadata


def _json_object(path: Path, metadata: Mapping[str, str], key: str) -> dict[str, Any]:
    text = metadata.get(key, "")
    try:
        value = (
            json.loads(text, parse_constant=_finite, parse_float=_finite) if len(text) <= _MOST_TEXT else None
        )
        json.dumps(value)  # what can be read, but not be written again, is none either
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise StyleError(f"{path}: damaged style file: no {key} in its metadata")
    return value


def _finite(number: str) -> float | None:
    """A number of a description; None for NaN and infinities, which JSON does not have."""
    value = float(number)
    return value if math.isfinite(value) else None


def _info(path: Path, metadata: Mapping[str, str]) -> StyleInfo:
    values = _json_object(path, metadata, "style")
    try:
        info = StyleInfo(**values)
    except TypeError:
        raise StyleError(f"{path}: damaged style file: unknown style fields") from None
    if not all(isinstance(value, str) for value in values.values()) or not info.name:
        raise StyleError(f"{path}: damaged style file: style fields must be text")
    if info.unfit:
        raise StyleError(f"{path}: damaged style file: its {info.unfit} cannot be shown on one line")
    return info


def blend(
    checkpoints: Mapping[str, Checkpoint], shares: Mapping[str, float]
) -> tuple[Weights, Weights | None]:
    """Interpolate the weights of networks that were trained from one base, end by end.

    Deep network interpolation, see `Checkpoint.at`.

    Args:
        checkpoints: style name -> checkpoint, all of one architecture.
        shares: style name -> share; normalised to sum 1.

    Returns:
        The weights of the bold end and of the faithful one: None if no style has one; those that have none
        are the same at both.

    Raises:
        StyleError: the architectures differ, or the shares are negative or all zero.
    """
    total = sum(shares.values())
    if total <= 0 or min(shares.values()) < 0:
        raise StyleError("blend shares must be positive numbers")
    chosen = [checkpoints[name] for name in shares]
    if len({c.architecture for c in chosen}) > 1:
        raise StyleError(f"{', '.join(shares)}: cannot be blended, their networks differ")
    parts = [share / total for share in shares.values()]
    bold = mix_weights([c.weights for c in chosen], parts)
    if all(c.faithful is None for c in chosen):
        return bold, None
    return bold, mix_weights([c.faithful or c.weights for c in chosen], parts)
