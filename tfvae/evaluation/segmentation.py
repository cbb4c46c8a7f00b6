"""How near drawn masks are to those that annotators drew, as sets: no draw has a partner."""

import math
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from tfvae.errors import UserError

_MOST_MATCHED = 10_000  # masks of one image on each side; the matching's time grows cubically


def intersection_over_union(first: Any, second: Any) -> np.ndarray:
    """Returns the IoU of each mask of one set with each of another: |A and B| / |A or B|.

    1 for two empty masks.

    Args:
        first: `[S, N, ...]`, ones and zeros or booleans.
        second: `[M, N, ...]`, likewise, of the same N images.

    Returns:
        float64 `[N, S, M]`.

    Raises:
        UserError: for shapes that do not go together, or values other than 0 and 1.

    Example:
        >>> intersection_over_union([[[1, 1, 0]]], [[[0, 1, 1]]]).round(3).tolist()
        [[[0.333]]]
    """
    a, b = _masks("first", first), _masks("second", second)
    if a.shape[1:] != b.shape[1:]:
        raise UserError(
            f"first has the shape {a.shape}, and second {b.shape}; expected (S, N, ...) and (M, N, "
            "...), masks of one size and of the same N images."
        )
    rows = (m.reshape(*m.shape[:2], -1).transpose(1, 0, 2).astype("float64") for m in (a, b))
    a, b = rows
    both = a @ b.transpose(0, 2, 1)
    either = a.sum(-1)[:, :, np.newaxis] + b.sum(-1)[:, np.newaxis] - both
    return np.where(either > 0, both / np.maximum(either, 1), 1.0)


def generalised_energy_distance(samples: Any, truth: Any) -> np.ndarray:
    """Returns the squared generalised energy distance of drawn and true masks, of each image.

        D^2 = 2 E[d(s, y)] - E[d(s, s')] - E[d(y, y')],   d = 1 - IoU

    0 only where both have the same law, as d is a metric of negative type. The means are over all
    pairs, those of a mask with itself among them, as in the paper: of S independent draws of the
    true law its mean is E[d(y, y')] / S and not 0, so compare at the same S.

    Args:
        samples: `[S, N, ...]`, ones and zeros or booleans.
        truth: `[M, N, ...]`, masks that are equally likely, of the same N images.

    Returns:
        float64 `[N]`, from 0 to 2.

    Raises:
        UserError: see `intersection_over_union`.

    Example:
        >>> generalised_energy_distance([[[1, 0]]], [[[0, 1]]]).tolist()
        [2.0]

    References:
        S. Kohl et al., 2018, arXiv:1806.05034, section 3 (performance measures);
        A. Kosub, 2019, "A note on the triangle inequality for the Jaccard distance" (the metric).
    """
    across, drawn, true = (
        1 - intersection_over_union(*pair).mean(axis=(1, 2))
        for pair in ((samples, truth), (samples, samples), (truth, truth))
    )
    return 2 * across - drawn - true


def matched_iou(samples: Any, truth: Any) -> np.ndarray:
    """Returns the mean IoU of drawn and true masks, matched one to one for the greatest mean.

    Each set is repeated up to the least common multiple of their sizes. 1 only where every mask
    was drawn as often as it is true.

    Args:
        samples: `[S, N, ...]`, ones and zeros or booleans.
        truth: `[M, N, ...]`, likewise, of the same N images.

    Returns:
        float64 `[N]`, from 0 to 1.

    Raises:
        UserError: see `intersection_over_union`; and for sets whose common multiple is above
            10,000.

    Example:
        >>> matched_iou([[[1, 0]], [[0, 1]]], [[[0, 1]], [[1, 0]]]).tolist()
        [1.0]

    References:
        S. Kohl et al., 2019, "A Hierarchical Probabilistic U-Net for Modeling Multi-Scale
        Ambiguities", arXiv:1905.13077, section 4; H. W. Kuhn, 1955, "The Hungarian method for the
        assignment problem".
    """
    pairs = intersection_over_union(samples, truth)
    drawn, true = pairs.shape[1:]
    size = math.lcm(drawn, true)
    if size > _MOST_MATCHED:
        raise UserError(
            f"{drawn} samples and {true} true masks have the common multiple {size:,}; expected at "
            f"most {_MOST_MATCHED:,}. Take a multiple of {true} samples."
        )
    found = []
    for image in pairs:
        repeated = np.tile(image, (size // drawn, size // true))
        found.append(repeated[linear_sum_assignment(repeated, maximize=True)].mean())
    return np.array(found)


def _masks(name: str, values: Any) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim < 3 or 0 in array.shape:
        raise UserError(
            f"{name} has the shape {array.shape}; expected masks (S, N, ...), S of each of N "
            "images, at least one."
        )
    if array.dtype != bool and not np.isin(array, (0, 1)).all():
        raise UserError(
            f"{name} has values other than 0 and 1; expected masks. Bytes: x > 127; probabilities: "
            "p >= 0.5."
        )
    return array.astype(bool)
