"""The colors of a first look: those of the painting, as far as photos stay what they show.

All is done among logits, which the last layer of the networks gives, so that a linear map can be folded into
it. The map is that of Pitié & Kokaram, "The linear Monge-Kantorovitch linear colour mapping for example-based
colour transfer", CVMP 2007.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

_FLAT = 1e-6  # least variance
_LUMA = np.array([0.3, 0.59, 0.11])
# Judged blind together on 16 paintings, docs/blind.md.
_CONTRAST, _SATURATION = 1.1, 1.15  # of the painting: photos that are painted with less look washed out
_MEAN = -0.8, 0.8  # of lightness: of a night, faces would be lost
_SPREAD = 0.9, 1.5  # of lightness: a foggy painting would leave nothing to be seen
_STRETCH = 0.3, 1.7  # by how much anything is amplified: beyond, so is each fault of the paint


def match_colors(
    painting: npt.NDArray[np.floating], mean: npt.NDArray[np.floating], covariance: npt.NDArray[np.floating]
) -> tuple[Matrix, Matrix]:
    """What brings the colors of painted photos to those of a painting.

    Args:
        painting: (12,), as `Description.colors`.
        mean, covariance: (3,) and (3, 3) of the logits of what a style paints.

    Returns:
        A (3, 3) matrix and a shift, (3,): `matrix @ color + shift`.
    """
    values = painting.astype(np.float64)
    target, spread = _tame(*_liven(values[:3], values[3:].reshape(3, 3)))
    values, vectors = np.linalg.eigh(monge_kantorovich(covariance.astype(np.float64), spread))
    matrix = vectors * values.clip(*_STRETCH) @ vectors.T
    return matrix, target - matrix @ mean


def monge_kantorovich(given: Matrix, wanted: Matrix) -> Matrix:
    """The symmetric matrix that moves colors as little as possible and gives them another covariance.

    Args:
        given, wanted: covariances, (3, 3).
    """
    root, back = _power(given, 0.5), _power(given, -0.5)
    return np.asarray(back @ _power(root @ wanted @ root, 0.5) @ back)


def _power(matrix: Matrix, exponent: float) -> Matrix:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors * values.clip(min=_FLAT) ** exponent @ vectors.T)


def _liven(mean: Matrix, covariance: Matrix) -> tuple[Matrix, Matrix]:
    """More contrast around the mean, and more saturation around grey."""
    colors = _SATURATION * np.eye(3) + (1 - _SATURATION) * np.outer(np.ones(3), _LUMA)
    way = _CONTRAST * colors
    return colors @ mean, way @ covariance @ way.T


def _tame(mean: Matrix, covariance: Matrix) -> tuple[Matrix, Matrix]:
    """Lightness neither so dark, nor so bright, flat or harsh; colors stay as far from grey as they are."""
    light, spread = _LUMA @ mean, np.sqrt(max(_FLAT, _LUMA @ covariance @ _LUMA))
    factor = np.clip(spread, *_SPREAD) / spread
    way = np.eye(3) + (factor - 1) * np.outer(np.ones(3), _LUMA)
    return mean + (np.clip(light, *_MEAN) - light), way @ covariance @ way.T
