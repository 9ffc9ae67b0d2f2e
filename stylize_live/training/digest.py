"""What tensors are recognised by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from torch import Tensor


def digest_of(text: str, tensors: Iterable[Tensor]) -> bytes:
    """A hash of a text and of tensors' values, whatever device they are on."""
    digest = hashlib.sha256(text.encode())
    for tensor in tensors:
        digest.update(bytes_of(tensor))
    return digest.digest()


def bytes_of(tensor: Tensor) -> bytes:
    """The values of a tensor as float32."""
    return tensor.detach().cpu().float().contiguous().numpy().tobytes()
