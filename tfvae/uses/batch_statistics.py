"""The statistics of batch normalisation, read anew."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from tfvae.checks import int32, real
from tfvae.errors import UserError
from tfvae.evaluation.batches import BATCH_SIZE, batches
from tfvae.models.capabilities import Decodes, Generates, require
from tfvae.noise import Noise

_NORMALISATION = keras.layers.BatchNormalization


def reread_statistics(
    model: Any,
    data: Any,
    temperature: float | None = None,
    batch_size: int = BATCH_SIZE,
    seed: int = 0,
    verbose: int = 0,
) -> list[str]:
    """Replaces the moving statistics of batch normalisation by those of the weights as they are.

        mean = sum_b n_b m_b / sum_b n_b,    variance = sum_b n_b (v_b + m_b^2) / sum_b n_b - mean^2

    m_b and v_b are a layer's mean and variance in batch b, whose n_b numbers of a channel other
    layers normalise by that batch, as in training. Moving averages lag behind the weights, and are
    of draws of the posterior where a sampler has draws of the prior, at some temperature. Do it
    before evaluation, sampling or export; what is saved afterwards has the new ones.

    Layers that are frozen, or that the passes do not reach (those of the encoder, where codes come
    from the prior), keep what they have.

    Args:
        model: Built, with layers of batch normalisation.
        data: What `fit` takes, the training data: the more, the more precise.
        temperature: None (default) has passes of the loss, with draws of the posterior: for
            evaluation. A number at least 0 has as many draws of the prior at this temperature,
            given the conditions of the data, and their means of x: for sampling at it.
        batch_size: Examples of a batch, at least 1: as in training.
        seed: Of the draws of the prior.
        verbose: 1 shows a progress bar.

    Returns:
        The paths of the layers that were read.

    Raises:
        UserError: for a model without such layers, or data that `fit` would refuse.
        CapabilityError: for a temperature, of a model that does not sample.

    References:
        A. Vahdat and J. Kautz, 2020, "NVAE", arXiv:2007.03898, section 4.2 (samples at a
        temperature). Y. Wu and J. Johnson, 2021, "Rethinking Batch in BatchNorm",
        arXiv:2105.07576, section 3.2, for the sums in the place of moving averages.
    """
    layers = normalising_layers(model, temperature)
    one_pass: Callable[..., Any] = _of_loss if temperature is None else _of_samples
    key, state = tf.constant(int32("seed", seed)), tf.identity(model.seed_state)
    try:
        with _reading(layers) as sums:
            # A function of its own: programs that were traced before normalise as they did.
            run = tf.function(
                lambda fields, first: one_pass(model, fields, first, key, temperature),
                autograph=False,
            )
            for batch in batches(model, data, batch_size, verbose):
                fields = {name: value[: batch.count] for name, value in batch.tensors().items()}
                run(fields, tf.constant(batch.first))
    finally:
        model.seed_state.assign(state)
    read = [(layer, found) for layer, found in zip(layers, sums, strict=True) if found.total > 0]
    for layer, found in read:
        mean = found.mean / found.total
        layer.moving_mean.assign(mean)
        layer.moving_variance.assign(tf.maximum(found.square / found.total - tf.square(mean), 0.0))
    return [layer.path for layer, _ in read]


def normalising_layers(model: Any, temperature: float | None = None) -> list[Any]:
    """Returns the layers of a model whose statistics can be read anew: see `reread_statistics`.

    Raises:
        UserError: if there are none.
        CapabilityError: for a temperature, of a model that does not sample.
    """
    if temperature is not None:
        require(model, "reread_statistics(temperature=...)", Decodes, Generates)
        real("temperature", temperature, minimum=0.0)
    found = [
        lr for lr in model._flatten_layers() if isinstance(lr, _NORMALISATION) and lr.trainable
    ]
    if not found:
        raise UserError(
            f"{model.name} has no batch normalisation that trains: there are no statistics to read "
            'anew. Leave them out (--statistics "moving"), or choose networks that have it.'
        )
    return found


class _Sums(NamedTuple):
    """Of a layer's batches, variables: how many numbers of a channel, and sums over them."""

    total: tf.Variable
    mean: tf.Variable
    square: tf.Variable


@contextlib.contextmanager
def _reading(layers: list[Any]) -> Iterator[list[_Sums]]:
    """Has layers normalise by the batch, whoever calls them, and sum up its statistics."""
    sums = []
    with contextlib.ExitStack() as stack:
        for layer in layers:
            own = _Sums(*(tf.Variable(tf.zeros(s, tf.float64)) for s in ((), *_shapes(layer))))
            sums.append(own)
            stack.enter_context(_kept(layer))
            stack.enter_context(_in_place(layer, momentum=0.0, call=_counting(layer, own)))
        yield sums


def _shapes(layer: Any) -> list[Any]:
    return [layer.moving_mean.shape, layer.moving_variance.shape]


@contextlib.contextmanager
def _kept(layer: Any) -> Iterator[None]:
    """Sets the moving statistics back."""
    weights = (layer.moving_mean, layer.moving_variance)
    before = [tf.identity(weight.value) for weight in weights]
    try:
        yield
    finally:
        for weight, value in zip(weights, before, strict=True):
            weight.assign(value)


@contextlib.contextmanager
def _in_place(layer: Any, momentum: float, call: Callable[..., tf.Tensor]) -> Iterator[None]:
    """Gives a layer another momentum, and a method of its own before that of its class."""
    before = layer.momentum
    layer.momentum, layer.call = momentum, call
    try:
        yield
    finally:
        layer.momentum = before
        del layer.call


def _counting(layer: Any, sums: _Sums) -> Callable[..., tf.Tensor]:
    call = layer.call

    def counted(inputs: tf.Tensor, training: Any = None, mask: Any = None) -> tf.Tensor:
        outputs = call(inputs, training=True, mask=mask)  # at no momentum, its own are the batch's
        numbers = tf.size(inputs) // inputs.shape[layer.axis]
        count = tf.cast(numbers, tf.float64)
        mean, variance = (
            tf.cast(w.value, tf.float64) for w in (layer.moving_mean, layer.moving_variance)
        )
        sums.total.assign_add(count)
        sums.mean.assign_add(count * mean)
        sums.square.assign_add(count * (variance + tf.square(mean)))
        return outputs

    return counted


def _of_loss(model: Any, fields: Any, first: tf.Tensor, key: Any, temperature: Any) -> None:
    model.loss_terms(fields, training=False)


def _of_samples(model: Any, fields: Any, first: tf.Tensor, key: Any, temperature: Any) -> None:
    rows = tf.shape(tf.nest.flatten(fields)[0])[0]
    given = None if temperature == 1 else tf.constant(temperature, tf.float32)
    noise = Noise(key, row=first + tf.range(rows), temperature=given)
    conditions = model.given(fields)
    model.decode(model.generate(noise, conditions), conditions)
