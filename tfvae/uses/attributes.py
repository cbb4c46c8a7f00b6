"""Directions in the space of codes: what an attribute adds to an example, and analogies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tfvae.checks import real
from tfvae.errors import UserError
from tfvae.evaluation.latents import latent_codes
from tfvae.uses.decoding import means_of, vector_of_free_codes

_LEAST = 1e-12  # of the squared length of a direction


@dataclass(frozen=True)
class Attribute:
    """A direction in the space of codes, from examples without an attribute to those with it.

    Attributes:
        direction: v, float64 `[D]`: added to the mean code of examples without it, it leads as far
            along v as the mean code of those with it lies.
        origin: Mean code of examples without it, `[D]`.
    """

    direction: np.ndarray
    origin: np.ndarray

    def strengths(self, codes: Any) -> np.ndarray:
        """Returns how much of the attribute codes have.

            s = (z - origin) . v / |v|^2:  0 on average without the attribute, 1 with it

        Args:
            codes: `[N, D]`, such as `evaluation.latent_codes` has.
        """
        codes = np.asarray(codes, np.float64)
        if codes.ndim != 2 or codes.shape[1] != len(self.direction):
            raise UserError(
                f"codes have shape {codes.shape}; expected [N, {len(self.direction)}], as many "
                "dimensions as the attribute's direction."
            )
        return (codes - self.origin) @ self.direction / (self.direction @ self.direction)


def find_attribute(
    model: Any,
    data: Any,
    present: Any,
    method: Literal["means", "classifier"] = "means",
    *,
    batch_size: int = 128,
    verbose: int = 0,
) -> Attribute:
    """Finds the direction in which codes of examples with an attribute differ from the others.

        means         v = mean of z with - mean of z without
        classifier    v = w (w . d) / |w|^2,  w the normal of a logistic regression on z, d the
                      difference of the means

    The difference of means holds all in which the two groups differ on average. The classifier's
    normal leaves out what does not help to tell them apart: choose it where other things go along
    with the attribute.

    Args:
        model: A built model that encodes to one vector of real numbers, and decodes.
        data: What `fit` takes, N examples.
        present: Bools (or 0 and 1) `[N]`: which examples have the attribute.
        method: "means" (default) or "classifier", scikit-learn's `LogisticRegression` on
            standardised codes.
        batch_size: Examples that are encoded at once.
        verbose: 1 shows a progress bar.

    Raises:
        UserError: for a model that can't, other than N values, values that are neither 0 nor 1, a
            group without examples, or groups of equal mean codes.

    Example:
        >>> import numpy as np, tfvae
        >>> model = tfvae.presets.model("digits", latent_size=2, units=(8,))
        >>> x = np.random.default_rng(0).random((6, 8, 8, 1)).astype("float32")
        >>> find_attribute(model, x, [True, False, True, False, True, False]).direction.shape
        (2,)

    References:
        A. B. L. Larsen et al., 2016, "Autoencoding beyond pixels using a learned similarity
        metric", arXiv:1512.09300, section 4.2, for the difference of means. T. White, 2016,
        "Sampling Generative Networks", arXiv:1609.04468, section 4, for what else goes along.
    """
    vector_of_free_codes(model, "find_attribute()")
    if method not in ("means", "classifier"):
        raise UserError(f'method is {method!r}; expected "means" or "classifier".')
    codes = latent_codes(model, data, batch_size=batch_size, verbose=verbose)
    chosen = _checked_presence(present, len(codes))
    origin = codes[~chosen].mean(axis=0)
    between = codes[chosen].mean(axis=0) - origin
    direction = between
    if method == "classifier":
        normal = _normal(codes, chosen)
        direction = normal * (normal @ between) / (normal @ normal)
    if direction @ direction < _LEAST:
        raise UserError(
            "The codes with and without the attribute have the same mean: no direction leads from "
            "one to the other. Does the model use its code (tfvae.evaluation.active_units)?"
        )
    return Attribute(direction, origin)


def with_attribute(
    model: Any,
    data: Any,
    attribute: Attribute,
    strengths: Sequence[float] = (0.0, 0.5, 1.0),
    *,
    batch_size: int = 128,
) -> np.ndarray:
    """Decodes examples with so much of an attribute added to their codes.

        x_s = E[x | z + s v],  z the code of x

    Args:
        model: The one that the attribute was found in.
        data: What `fit` takes, N examples.
        attribute: What `find_attribute` found.
        strengths: s, at least one; 0 is the reconstruction, 1 adds as much as lies between the
            means, -1 takes it away.
        batch_size: Codes that are decoded at once.

    Returns:
        float32 `[S, N, *event]`.

    Raises:
        UserError: for an attribute of another number of dimensions, or strengths that are no
            numbers.
    """
    size = vector_of_free_codes(model, "with_attribute()")
    if len(attribute.direction) != size:
        raise UserError(
            f"The attribute has {len(attribute.direction)} dimensions and the model's codes have "
            f"{size}: find it in this model."
        )
    steps = np.array([real("strengths", step) for step in strengths])
    if not len(steps):
        raise UserError("strengths is empty; expected at least one number.")
    codes = latent_codes(model, data, batch_size=batch_size)
    moved = codes + steps[:, np.newaxis, np.newaxis] * attribute.direction
    return means_of(model, moved, batch_size)


def analogies(model: Any, start: Any, end: Any, other: Any, *, batch_size: int = 128) -> np.ndarray:
    """Decodes what is to `other` as `end` is to `start`.

        x = E[x | z_other + z_end - z_start]

    Args:
        model: A built model that encodes to one vector of real numbers, and decodes.
        start, end, other: What `fit` takes, N examples each.
        batch_size: Examples that are encoded, and codes that are decoded, at once.

    Returns:
        float32 `[N, *event]`.

    Raises:
        UserError: for different numbers of examples, or a model that can't.

    References:
        S. Reed et al., 2015, "Deep Visual Analogy-Making", NeurIPS 28, eq. 1.
    """
    vector_of_free_codes(model, "analogies()")
    codes = [latent_codes(model, part, batch_size=batch_size) for part in (start, end, other)]
    counts = [len(part) for part in codes]
    if len(set(counts)) > 1:
        raise UserError(
            f"start, end and other have {counts[0]}, {counts[1]} and {counts[2]} examples; "
            "expected as many of each."
        )
    return means_of(model, codes[2] + codes[1] - codes[0], batch_size)


def _normal(codes: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """The normal of a linear classifier, in the codes' own units."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(codes)
    classifier = LogisticRegression(max_iter=1000).fit(scaler.transform(codes), chosen)
    return classifier.coef_[0] / scaler.scale_


def _checked_presence(present: Any, count: int) -> np.ndarray:
    values = np.asarray(present)
    if values.shape != (count,):
        raise UserError(
            f"present has shape {values.shape}, and there are {count} examples; expected one value "
            "for each."
        )
    if values.dtype.kind not in "biuf" or not np.isin(values, (0, 1)).all():
        raise UserError("present holds other values than 0 and 1 (False and True).")
    chosen = values.astype(bool)
    if chosen.all() or not chosen.any():
        which = "all" if chosen.all() else "no"
        raise UserError(
            f"present says that {which} examples have the attribute; a direction needs some with "
            "it and some without."
        )
    return chosen
