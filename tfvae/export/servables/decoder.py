"""The decoder's servable."""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from tfvae.data.fields import Field
from tfvae.distributions.draws import NoTemperatureError
from tfvae.export.graphs import shared
from tfvae.export.limits import MAX_FIRST
from tfvae.export.servables.checks import asserted, most, whole_batch, within
from tfvae.export.servables.signatures import (
    NUMBERS,
    ServedSignature,
    Tensors,
    check_tensor_names,
    named_codes,
    per_count,
    per_rows,
    row_first,
)
from tfvae.models.capabilities import Batch, Decodes, Generates, can
from tfvae.models.codes import code_example, zero_example
from tfvae.noise import Noise


class DecoderServable:
    """Codes to examples: `decode` and `sample`.

    | signature | inputs | outputs |
    | --- | --- | --- |
    | `decode`, `serving_default` | `z [B, D]`, or the levels by name, and the conditions | what the model's `decoder_outputs` returns: of a Bernoulli `probs`, `logits [B, ...]`, of a Normal `loc`, `scale` |
    | `sample`, of a model that generates | `num_samples`, `first`, `seed [B]` int32, `temperature [B]`, and the conditions | the modelled field, such as `x [B, S, ...]`, and `z [B, S, D]` |

    `sample` draws z from the prior, widened by `temperature`, with the counter-based generator, and
    returns the likelihood's mean: row b holds what `model.sample(first[b] + num_samples[b], seed[b],
    temperature[b])` returns in Python from `first[b]` on. Where the prior has no scale, the
    temperature must be 1.

    Args:
        model: a built model that decodes.
        share: wraps what several signatures call; as it is, the file holds that once.
    """  # noqa: E501

    name = "decoder"
    default = "decode"
    needs = (Decodes,)

    def __init__(self, model: Any, share: Callable[[Callable], Callable] = shared):
        self.model, self.codes, self.conditions = model, code_fields(model), model.conditions()
        self.fixed = fixed_temperature(model)
        self.decoded = share(model.decode)

    def signatures(self) -> dict[str, ServedSignature]:
        """The servable's signatures by name, without `serving_default`."""
        inputs = {**self.codes, **self.conditions}
        found = {"decode": ServedSignature(self.decode, per_rows(inputs), inputs)}
        if isinstance(self.model, Generates):
            counts = per_count(num_samples=tf.int32, first=tf.int32, seed=tf.int32)
            counts |= per_count(temperature=tf.float32)
            inputs = {**counts, **per_rows(self.conditions)}
            held = {} if self.fixed is None else {"temperature": Field((), interval=(1.0, 1.0))}
            found["sample"] = ServedSignature(self.sample, inputs, {**self.conditions, **held})
        return found

    def decode(self, **inputs: tf.Tensor) -> Tensors:
        """The likelihood's parameters, and what follows from them."""
        batch = whole_batch({**self.codes, **self.conditions}, inputs)
        given = {name: batch[name] for name in self.conditions}
        return self.model.decoder_outputs(codes_of({n: batch[n] for n in self.codes}), given)

    def sample(
        self,
        num_samples: tf.Tensor,
        first: tf.Tensor,
        seed: tf.Tensor,
        temperature: tf.Tensor,
        **inputs: tf.Tensor,
    ) -> Tensors:
        """Draws S examples a row from the prior."""
        given = whole_batch(self.conditions, inputs)
        valid = (temperature >= 0) & tf.math.is_finite(temperature)
        message = "temperature must be a finite number of at least 0; received:"
        wrong = tf.boolean_mask(temperature, ~valid)
        temperature = asserted(temperature, tf.reduce_all(valid), message, wrong)
        if self.fixed is not None:
            ones = tf.reduce_all(tf.equal(temperature, 1.0))
            with tf.control_dependencies([asserted(temperature, ones, self.fixed)]):
                seed, temperature = tf.identity(seed), None
        first = within(first, "first", 0, MAX_FIRST)
        number = first + tf.range(most(num_samples, "num_samples"))[:, tf.newaxis]
        noise = Noise(seed, row=number, temperature=temperature)
        z = self.model.generate(noise, given)
        x = self.decoded(z, given)
        name = next(iter(self.model.fields()))
        return {name: row_first(x), **named_codes(row_first(z))}


def fixed_temperature(model: Any) -> str | None:
    """Why a model's codes are drawn at temperature 1 alone, or None."""
    if not can(model, Generates):
        return None
    try:
        model.generate(Noise(0, row=tf.range(1), temperature=0.5), model.given(zero_example(model)))
    except NoTemperatureError as error:
        return str(error)
    return None


def codes_of(named: Mapping[str, tf.Tensor]) -> Any:
    """Codes from named tensors: the inverse of `named_codes`."""
    return named["z"] if set(named) == {"z"} else dict(named)


def code_fields(model: Any) -> dict[str, Field]:
    """The shape and type of each code of a model, by name: of one that it makes.

    Raises:
        UserError: if a code has the name of a field, or of another input of a signature.
    """
    codes = named_codes(code_example(model))
    check_tensor_names(model, "code", codes, {*NUMBERS, *model.fields()})
    within = getattr(model, "code_interval", None)
    return {
        n: Field(tuple(level.shape[1:]), level.dtype.name, within) for n, level in codes.items()
    }


def unfolded(decode: Callable[[Any, Batch], tf.Tensor], z: Any, given: Batch) -> tf.Tensor:
    """What `decode` makes of codes `[B, S, ...]`, given conditions `[B, ...]`: `[B, S, ...]`."""
    return row_first(decode(row_first(z), given))
