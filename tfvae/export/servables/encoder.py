"""The encoder's servable."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfvae.data.fields import required
from tfvae.export.graphs import shared
from tfvae.export.limits import MAX_FIRST
from tfvae.export.servables.checks import most, whole_batch, within
from tfvae.export.servables.images import of_bytes
from tfvae.export.servables.signatures import (
    ServedSignature,
    Tensors,
    named_codes,
    per_count,
    per_rows,
    row_first,
)
from tfvae.models.capabilities import Classifies, Encodes, Scores
from tfvae.noise import Noise


class EncoderServable:
    """Examples to posteriors: `encode` and `sample`.

    | signature | inputs | outputs |
    | --- | --- | --- |
    | `encode`, `serving_default` | the model's fields, such as `x [B, ...]` | what its `encoder_outputs` returns: of a Normal `loc [B, D]` and `scale_diag [B, D]` or `scale_tril [B, D, D]`, `mean [B, D]`, `stddev [B, D]` |
    | `encode_uint8`, of images | `x` uint8 | as `encode` |
    | `encode_image_bytes`, of images | `image_bytes [B]` PNG or JPEG | as `encode` |
    | `classify`, of a model that classifies | the fields | `probabilities [B, K]`, `label [B]` int32, the likeliest class |
    | `sample`, of a model that scores | the fields, `num_samples`, `first`, `seed [B]` int32 | `z [B, S, D]`, or the levels by name |

    Args:
        model: a built model that encodes.
        share: wraps what several signatures call; as it is, the file holds that once.
    """  # noqa: E501

    name = "encoder"
    default = "encode"
    needs = (Encodes,)

    def __init__(self, model: Any, share: Callable[[Callable], Callable] = shared):
        self.model, self.fields = model, required(model.fields())
        self.encode = share(self._encode)

    def signatures(self) -> dict[str, ServedSignature]:
        """The servable's signatures by name, without `serving_default`."""
        inputs = per_rows(self.fields)
        encode = ServedSignature(self.encode, inputs, self.fields)
        forms = of_bytes(encode, next(iter(self.fields)))
        found = {"encode": encode, **{f"encode_{form}": s for form, s in forms.items()}}
        if isinstance(self.model, Classifies):
            found["classify"] = ServedSignature(self.classify, inputs, self.fields)
        if isinstance(self.model, Scores):
            counts = per_count(num_samples=tf.int32, first=tf.int32, seed=tf.int32)
            found["sample"] = ServedSignature(self.sample, {**inputs, **counts}, self.fields)
        return found

    def _encode(self, **inputs: tf.Tensor) -> Tensors:
        """What the model's encoder returns."""
        return self.model.encoder_outputs(whole_batch(self.fields, inputs))

    def classify(self, **inputs: tf.Tensor) -> Tensors:
        """How likely each class is given x."""
        found = self.model.class_probabilities(whole_batch(self.fields, inputs))
        return {"probabilities": found, "label": tf.argmax(found, axis=-1, output_type=tf.int32)}

    def sample(
        self, num_samples: tf.Tensor, first: tf.Tensor, seed: tf.Tensor, **inputs: tf.Tensor
    ) -> Tensors:
        """Draws z from the posteriors: those from number `first` on of each row's seed."""
        batch = whole_batch(self.fields, inputs)
        first = within(first, "first", 0, MAX_FIRST)
        noise = posterior_noise(seed, first, most(num_samples, "num_samples"))
        return named_codes(row_first(self.model.infer(batch).proposal.draw(noise).z))


def posterior_noise(seeds: tf.Tensor, first: Any, count: Any) -> Noise:
    """The noise `[S, B]` of draws `first`, ..., `first + count - 1` of every row.

    Draw k of a row is a function of the row's seed and k alone, so results change neither with the
    batch size nor with how the draws are cut into chunks.

    Args:
        seeds: `[B]`, int32.
        first: number of the first draw, one for all rows or `[B]`.
        count: S.
    """
    # Negative streams: the prior's draws from the same seed use those from 0 on.
    return Noise(seeds, -1 - (first + tf.range(count)[:, tf.newaxis]))
