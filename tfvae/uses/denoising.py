"""Clean examples of corrupted ones."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.checks import MOST_DRAWS, int32, positive_int
from tfvae.corruptions import Corruption
from tfvae.data.fields import Field, example_size
from tfvae.errors import UserTypeError
from tfvae.evaluation.batches import BATCH_SIZE, PaddedBatch
from tfvae.evaluation.collecting import collected
from tfvae.evaluation.estimates import refuse_nan
from tfvae.evaluation.importance import chunk_size
from tfvae.models.capabilities import Batch, Decodes, Encodes, Scores, require
from tfvae.noise import Noise, example_noise
from tfvae.training.programs import compiled
from tfvae.uses.anomaly_scores import number_of_rows, same_seeds


def denoise(
    model: Any,
    data: Any,
    num_samples: int | None = None,
    seed: int = 0,
    *,
    batch_size: int = BATCH_SIZE,
    verbose: int = 0,
) -> np.ndarray:
    """Returns what corrupted examples are without their corruption: the mean of x.

        E[x|z], z the code of x~                                 num_samples=None, the default
        E[x|x~] ~ 1/K sum_k E[x|z_k],   z_k ~ q(z|x~)            num_samples=K

    The first is deterministic, is what `reconstruct` makes of x~, and costs one decoding. The
    second is the estimate of least squared error as far as q(z|x~) is right; of what was lost it
    shows a mean of all that it may have been. What the model is worth here depends on its training:
    give it the corruption that is to be removed, `VAE(corruption=...)`.

    With `num_samples` it is random, a function of the seed; the draws of all examples have the same
    noise, so that an example's result depends neither on its place nor on its neighbours.

    Args:
        model: A built model that encodes and decodes; for draws one that scores, too.
        data: Corrupted examples, as `fit` takes them. They may leave the range of x as far as the
            model's corruption does: by ten standard deviations of `AdditiveNormal`.
        num_samples: K, at least 1, or None.
        seed: Any int32.
        batch_size: Examples a compiled step works on, at least 1.
        verbose: 1 shows a progress bar.

    Returns:
        float32 `[N, *event]`.

    Raises:
        UserError: for a model that lacks a capability, data of another shape or beyond that range,
            or an argument out of range.
        FloatingPointError: if a value is not a number.

    Example:
        >>> import tfvae
        >>> model = tfvae.presets.model("digits-denoising", latent_size=2, units=(8,))
        >>> noisy = np.random.default_rng(0).normal(0.3, 0.5, (5, 8, 8, 1)).astype("float32")
        >>> denoise(model, noisy).shape
        (5, 8, 8, 1)

    References:
        D. J. Im et al., 2017, "Denoising Criterion for Variational Auto-Encoding Framework",
        arXiv:1511.06406, which trains so; P. Vincent et al., 2008, ICML, section 2.3, whose
        denoising autoencoder is the first form.
    """
    require(model, "denoise()", Encodes, Decodes)
    int32("seed", seed)
    fields = getattr(model, "corrupted_fields", model.fields)()
    if num_samples is None:
        at_codes = compiled(model, _at_codes)

        def of_batch(batch: PaddedBatch) -> Any:
            return at_codes(batch.tensors())

    else:
        require(model, "denoise() by draws", Scores)
        positive_int("num_samples", num_samples, maximum=MOST_DRAWS)
        averaged = compiled(model, _averaged)

        def of_batch(batch: PaddedBatch) -> Any:
            examples = len(next(iter(batch.fields.values())))
            chunk = chunk_size(num_samples, examples, example_size(fields))
            return averaged(batch.tensors(), tf.constant(seed, tf.int32), num_samples, chunk)

    taking = _Taking(fields, model.built)
    found = collected(taking, data, of_batch, batch_size, verbose).astype(np.float32)
    refuse_nan(found)
    return found


def corrupted_examples(corruption: Corruption, x: Any, seed: int = 0) -> np.ndarray:
    """Returns examples as a corruption leaves them: what a denoising model is tried on.

    Random, a function of the seed: the noise of example n is one of (seed, n).

    Args:
        corruption: Such as the `corruption` of a model.
        x: `[N, *event]`.
        seed: Any int32.

    Returns:
        float32 `[N, *event]`.

    Raises:
        UserTypeError: for what is no corruption.

    Example:
        >>> from tfvae import corruptions
        >>> corrupted_examples(corruptions.Masking(1.0), np.ones((1, 3), "float32"), seed=1)
        array([[0., 0., 0.]], dtype=float32)
    """
    if not isinstance(corruption, Corruption):
        raise UserTypeError(
            f"corruption is {corruption!r}; expected one of tfvae.corruptions, such as "
            "AdditiveNormal(0.25). A model that was trained without one has None."
        )
    noise = Noise(int32("seed", seed), row=tf.range(len(x)))
    found = corruption.checked(tf.convert_to_tensor(np.asarray(x, np.float32)), noise)
    return found.numpy().astype(np.float32)


@dataclass(frozen=True)
class _Taking:
    """What batches are checked for.

    Attributes:
        declared: The fields.
        built: Whether the model is.
    """

    declared: dict[str, Field]
    built: bool

    def fields(self) -> dict[str, Field]:
        return self.declared


def _at_codes(model: Any, batch: Batch) -> tf.Tensor:
    return model.reconstruction(dict(batch))


def _averaged(model: Any, batch: Batch, seed: tf.Tensor, num_samples: int, chunk: int) -> tf.Tensor:
    """The mean of E[x|z] over K draws of each example, `[B, *event]`."""
    batch = dict(batch)
    given, proposal = model.given(batch), model.infer(batch).proposal
    seeds = same_seeds(batch, seed)

    def decoded(first: Any) -> tf.Tensor:
        return model.decode(proposal.draw(example_noise(seeds, first, chunk)).z, given)

    def body(first: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x = decoded(first)
        counts = tf.cast(first + tf.range(chunk) < num_samples, x.dtype)
        weights = tf.reshape(counts, [-1, *[1] * (x.shape.rank - 1)])
        return first + chunk, total + tf.reduce_sum(weights * x, axis=0)

    event = next(iter(model.fields().values())).shape
    start = tf.constant(0), tf.zeros([number_of_rows(batch), *event])
    _, total = tf.while_loop(
        lambda first, _: first < num_samples, body, start, parallel_iterations=1
    )
    return total / num_samples
