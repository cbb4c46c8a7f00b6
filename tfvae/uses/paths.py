"""Ways from one code to another, and how far they lead as the decoder sees it."""

from typing import Any, Literal

import numpy as np
import scipy.optimize
import tensorflow as tf

from tfvae.checks import positive_int
from tfvae.errors import UserError
from tfvae.training.programs import compiled
from tfvae.uses.decoding import means_of, vector_of_free_codes

PathKind = Literal["straight", "slerp", "geodesic"]
PATH_KINDS: tuple[PathKind, ...] = ("straight", "slerp", "geodesic")
_FINE = 64  # points between two steps where lengths are measured
_LEAST = 1e-9  # an angle, or a length, below which there is no way to go


def code_paths(
    model: Any,
    starts: Any,
    ends: Any,
    steps: int = 9,
    kind: PathKind = "straight",
    spacing: Literal["code", "decoded"] = "code",
    max_iterations: int = 200,
) -> np.ndarray:
    """Returns ways from codes to codes, by straight lines, great arcs or geodesics.

        straight    z_t = (1 - t) a + t b
        slerp       z_t = (sin((1 - t) w) a + sin(t w) b) / sin(w),  w the angle between a and b
        geodesic    argmin of (T - 1) / 2 sum_t |E[x|z_{t+1}] - E[x|z_t]|^2  with both ends fixed

    The geodesic is the shortest way in the decoder's own metric, J^T J with J the Jacobian of
    E[x|z]: it bends around codes where x changes fast. Its steps are equally long in that metric;
    those of the others are with `spacing="decoded"`.

    Deterministic. The geodesic starts from the straight line and is a local minimum.

    Args:
        model: A built model that decodes one vector of real numbers, without conditions.
        starts, ends: a and b, codes `[N, D]` each, as `evaluation.latent_codes` has them.
        steps: T, points of each way with its ends, at least 2.
        kind: See above. Default "straight".
        spacing: "code" (default): t in equal steps; "decoded": points equally far from each other
            along the way as E[x|z] sees it.
        max_iterations: Of the optimiser (L-BFGS) for each geodesic, at least 1.

    Returns:
        float64 `[N, T, D]`, the ends exact.

    Raises:
        UserError: for a model that can't, codes of other shapes, or opposite codes with "slerp",
            between which no great arc is the shortest.

    Example:
        >>> import numpy as np, tfvae
        >>> model = tfvae.presets.model("digits", latent_size=2, units=(8,))
        >>> code_paths(model, np.zeros((3, 2)), np.ones((3, 2)), steps=5).shape
        (3, 5, 2)

    References:
        K. Shoemake, 1985, "Animating Rotation with Quaternion Curves", SIGGRAPH, for great arcs; T.
        White, 2016, arXiv:1609.04468, section 3, for codes. H. Shao, A. Kumar and P. T. Fletcher,
        2018, "The Riemannian Geometry of Deep Generative Models", arXiv:1711.08014, eq. 5, for the
        energy. Departures: L-BFGS on all points at once, and no term for the likelihood's variance
        (Arvanitidis et al. 2018, arXiv:1710.11379, have one).
    """
    size = vector_of_free_codes(model, "code_paths()")
    if kind not in PATH_KINDS:
        raise UserError(f"kind is {kind!r}; expected one of {', '.join(PATH_KINDS)}.")
    if spacing not in ("code", "decoded"):
        raise UserError(f'spacing is {spacing!r}; expected "code" or "decoded".')
    steps = positive_int("steps", steps, minimum=2)
    max_iterations = positive_int("max_iterations", max_iterations)
    first, last = _checked_codes("starts", starts, size), _checked_codes("ends", ends, size)
    if len(first) != len(last):
        raise UserError(f"starts has {len(first)} codes and ends {len(last)}; expected as many.")
    if kind == "geodesic":
        line = _straight(first, last, np.linspace(0.0, 1.0, steps))
        return np.stack([_shortest(model, each, max_iterations) for each in line])
    way = {"straight": _straight, "slerp": _great_arc}[kind]
    if spacing == "code":
        return way(first, last, np.linspace(0.0, 1.0, steps))
    fine = np.linspace(0.0, 1.0, (steps - 1) * _FINE + 1)
    places = _equally_far(_steps_of(model, way(first, last, fine)), fine, steps)
    return np.stack(
        [way(a[None], b[None], t)[0] for a, b, t in zip(first, last, places, strict=True)]
    )


def path_lengths(model: Any, paths: Any) -> np.ndarray:
    """Returns how far ways lead as the decoder sees it.

        length = sum_t |E[x|z_{t+1}] - E[x|z_t]|

    In the units of x, a lower bound of the length of the curve, which it meets as T grows.

    Args:
        model: A built model that decodes one vector of real numbers, without conditions.
        paths: `[N, T, D]`, T at least 2, as `code_paths` returns.

    Returns:
        float64 `[N]`.
    """
    size = vector_of_free_codes(model, "path_lengths()")
    codes = np.asarray(paths, np.float64)
    if codes.ndim != 3 or codes.shape[1] < 2 or codes.shape[2] != size:
        raise UserError(
            f"paths have shape {codes.shape}; expected [N, T, {size}], T at least 2 points each."
        )
    return _steps_of(model, codes).sum(axis=1)


def _straight(first: np.ndarray, last: np.ndarray, t: np.ndarray) -> np.ndarray:
    t = t[:, np.newaxis]
    return (1 - t) * first[:, np.newaxis] + t * last[:, np.newaxis]


def _great_arc(first: np.ndarray, last: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Great arcs; straight lines where codes point the same way, or one of them is 0."""
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(last, axis=1)
    cosines = np.sum(first * last, axis=1) / np.maximum(lengths, _LEAST)
    angles = np.arccos(np.clip(cosines, -1.0, 1.0))[:, np.newaxis]
    if np.any(angles > np.pi - 1e-6):
        raise UserError(
            "slerp between opposite codes: every great arc between them is as long. Go by "
            'kind="straight", or by a third code.'
        )
    angles = np.where(lengths[:, np.newaxis] < _LEAST, 0.0, angles)
    flat = angles < 1e-6
    sine = np.sin(np.where(flat, 1.0, angles))
    before = np.where(flat, 1 - t, np.sin((1 - t) * angles) / sine)
    after = np.where(flat, t, np.sin(t * angles) / sine)
    return before[..., np.newaxis] * first[:, np.newaxis] + after[..., np.newaxis] * last[:, None]


def _steps_of(model: Any, codes: np.ndarray) -> np.ndarray:
    """|E[x|z_{t+1}] - E[x|z_t]| of ways `[N, T, D]`, `[N, T - 1]`."""
    found = []
    for way in codes:  # one after the other: T images at once
        x = means_of(model, way, min(len(way), 128)).reshape(len(way), -1).astype(np.float64)
        found.append(np.linalg.norm(np.diff(x, axis=0), axis=1))
    return np.stack(found)


def _equally_far(lengths: np.ndarray, t: np.ndarray, steps: int) -> np.ndarray:
    """The t `[N, T]` at which equal shares of each way are done, from those of its pieces."""
    done = np.concatenate([np.zeros((len(lengths), 1)), np.cumsum(lengths, axis=1)], axis=1)
    shares = np.linspace(0.0, 1.0, steps)
    return np.stack(
        [np.interp(shares * way[-1], way, t) if way[-1] > _LEAST else shares for way in done]
    )


def _shortest(model: Any, line: np.ndarray, max_iterations: int) -> np.ndarray:
    """The geodesic that a straight line `[T, D]` bends into."""
    if len(line) == 2:
        return line
    run = compiled(model, _energy)
    first, last = (tf.constant(line[[place]], tf.float32) for place in (0, -1))

    def energy(inner: np.ndarray) -> tuple[float, np.ndarray]:
        given = tf.constant(inner.reshape(-1, line.shape[1]), tf.float32)
        value, gradient = run(first, given, last)
        return float(value), gradient.numpy().astype(np.float64).reshape(-1)

    options = {"maxiter": max_iterations}
    found = scipy.optimize.minimize(
        energy, line[1:-1].reshape(-1), jac=True, method="L-BFGS-B", options=options
    )
    return np.concatenate([line[:1], found.x.reshape(-1, line.shape[1]), line[-1:]])


def _energy(
    model: Any, first: tf.Tensor, inner: tf.Tensor, last: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The energy of a way and its gradient by the points between its ends."""
    with tf.GradientTape() as tape:
        tape.watch(inner)
        z = tf.concat([first, inner, last], axis=0)
        x = tf.cast(model.decode(z, {}), tf.float32)
        pieces = tf.reshape(x[1:] - x[:-1], [z.shape[0] - 1, -1])
        energy = (z.shape[0] - 1) / 2 * tf.reduce_sum(pieces**2)
    return energy, tape.gradient(energy, inner)


def _checked_codes(name: str, values: Any, size: int) -> np.ndarray:
    codes = np.asarray(values, np.float64)
    if codes.ndim != 2 or codes.shape[1] != size or not len(codes):
        raise UserError(
            f"{name} has shape {codes.shape}; expected codes [N, {size}], such as "
            "tfvae.evaluation.latent_codes(model, data)."
        )
    if not np.isfinite(codes).all():
        raise UserError(f"{name} holds NaN or infinite numbers.")
    return codes
