"""The whole model's servable."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from tfvae.data.fields import required
from tfvae.export.graphs import shared
from tfvae.export.limits import MAX_SCORE_SAMPLES
from tfvae.export.servables.checks import most, whole_batch
from tfvae.export.servables.decoder import unfolded
from tfvae.export.servables.images import of_bytes
from tfvae.export.servables.score import draws_at_once, importance_scores
from tfvae.export.servables.signatures import ServedSignature, Tensors, per_count, per_rows
from tfvae.models.capabilities import Decodes, Encodes, Scores
from tfvae.models.codes import vector_size
from tfvae.uses.filling import filled_holes, has_holes

if TYPE_CHECKING:
    from tfvae.uses.anomaly import AnomalyDetector


class VAEServable:
    """Examples to examples and to likelihoods: `reconstruct`, `score`, `impute` and others.

    | signature | inputs | outputs |
    | --- | --- | --- |
    | `reconstruct`, `serving_default` | the model's fields, such as `x [B, ...]` | `x [B, ...]` |
    | `reconstruct_uint8`, of images | `x` uint8 | as `reconstruct` |
    | `reconstruct_image_bytes`, of images | `image_bytes [B]` PNG or JPEG | as `reconstruct` |
    | `denoise`, of a model with a corruption | the fields, x as far as the corruption leaves its range | as `reconstruct` |
    | `denoise_uint8`, `denoise_image_bytes`, of images | bytes | as `reconstruct` |
    | `score`, of a model that scores | the fields, `num_samples [B]`, `seed [B]` int32 | `log_likelihood`, `elbo`, `nll`, `kl`, each `[B]`, nats |
    | `score_uint8`, `score_image_bytes`, of images | bytes, and `num_samples`, `seed` | as `score` |
    | `impute`, of a model of rows with holes | the fields, `num_samples [B]`, `seed [B]` int32 | `x [B, ...]`, as given where it is seen |
    | `impute_draw`, of such a model | as `impute` | as `impute`: one draw of what is missing |
    | `impute_uint8`, `impute_draw_image_bytes` and so on, of images | bytes, and `seen`, `num_samples`, `seed` | as `impute` |
    | `interpolate`, of one field and one vector z | `start_x`, `end_x [B, ...]`, `steps [B]` int32 | `x [B, S, ...]` |
    | `anomaly`, where a detector is given | the fields | `score [B]`, nats, higher = less normal, and `is_anomaly [B]` bool |
    | `anomaly_uint8`, `anomaly_image_bytes`, of images | bytes | as `anomaly` |

    `denoise` is what `tfvae.uses.denoise(model, x)` returns in Python: the mean at the code.

    `impute` is what `tfvae.uses.impute` returns in Python, where row i has the seed
    `tfvae.noise.example_seeds(seed, 0, B)[i]`, and `impute_draw` what it returns with `multiple=1`:
    for several imputations send a row several times, each with a seed of its own.

    The threshold and the seed of `anomaly` are the detector's: the score is what
    `AnomalyDetector.anomaly_scores` returns in Python.

    Args:
        model: a built model that encodes and decodes.
        anomaly: a fitted `tfvae.uses.AnomalyDetector` of this model.
        share: wraps what several signatures call; as it is, the file holds that once.
    """  # noqa: E501

    name = "vae"
    default = "reconstruct"
    needs = (Encodes, Decodes)

    def __init__(
        self,
        model: Any,
        share: Callable[[Callable], Callable] = shared,
        anomaly: "AnomalyDetector | None" = None,
    ):
        self.model, self.fields = model, required(model.fields())
        self.field = next(iter(self.fields))
        corrupted = getattr(model, "corruption", None) is not None
        self.corrupted = required(model.corrupted_fields()) if corrupted else None
        self.ends = {f"{end}_{self.field}": self.fields[self.field] for end in ("start", "end")}
        self.encoded, self.decoded = share(model.encode), share(model.decode)
        self.reconstruct, self.score = share(self._reconstruct), share(self._score)
        self.denoise = share(self._denoise)
        self.impute, self.impute_draw = share(self._impute), share(self._impute_draw)
        # A graph even where it is called directly: an encoder then refuses what leaves x's range.
        self.denoised = shared(self._rebuilt)
        self.detector, self.anomaly = anomaly, share(self._anomaly)

    def signatures(self) -> dict[str, ServedSignature]:
        """The servable's signatures by name, without `serving_default`."""
        inputs = per_rows(self.fields)
        found = {"reconstruct": ServedSignature(self.reconstruct, inputs, self.fields)}
        if self.corrupted is not None:
            found["denoise"] = ServedSignature(
                self.denoise, per_rows(self.corrupted), self.corrupted
            )
        if isinstance(self.model, Scores):
            counts = per_count(num_samples=tf.int32, seed=tf.int32)
            found["score"] = ServedSignature(self.score, {**inputs, **counts}, self.fields)
            if has_holes(self.model):
                for name, call in (("impute", self.impute), ("impute_draw", self.impute_draw)):
                    found[name] = ServedSignature(call, {**inputs, **counts}, self.fields)
        if self.detector is not None:
            found["anomaly"] = ServedSignature(self.anomaly, inputs, self.fields)
        for name, signature in list(found.items()):
            clean = replace(signature, fields=self.fields)  # bytes can't leave the range
            for form, taking_bytes in of_bytes(clean, self.field).items():
                found[f"{name}_{form}"] = taking_bytes
        if len(self.fields) == 1 and vector_size(self.model) is not None:
            inputs = {**per_rows(self.ends), **per_count(steps=tf.int32)}
            found["interpolate"] = ServedSignature(self.interpolate, inputs, self.ends)
        return found

    def _reconstruct(self, **inputs: tf.Tensor) -> Tensors:
        """The likelihood's mean at the code of each example: not random."""
        return {self.field: self._rebuilt(whole_batch(self.fields, inputs))}

    def _denoise(self, **inputs: tf.Tensor) -> Tensors:
        """The likelihood's mean at the code of each corrupted example: not random."""
        assert self.corrupted is not None  # else there is no such signature
        batch = whole_batch(self.corrupted, inputs)
        return {self.field: self.denoised(batch)}

    def _rebuilt(self, batch: Tensors) -> tf.Tensor:
        return self.decoded(self.encoded(batch), self.model.given(batch))

    def _score(self, num_samples: tf.Tensor, seed: tf.Tensor, **inputs: tf.Tensor) -> Tensors:
        """Importance-weighted log-likelihood from K = num_samples draws a row, and the ELBO."""
        batch = whole_batch(self.fields, inputs)
        last = most(num_samples, "num_samples", MAX_SCORE_SAMPLES)
        return importance_scores(self.model.infer(batch), num_samples, seed, last)

    def _impute(self, **inputs: tf.Tensor) -> Tensors:
        """What is missing by its expectation, from K = num_samples weighted draws a row."""
        return self._filled(inputs, fillings=0)

    def _impute_draw(self, **inputs: tf.Tensor) -> Tensors:
        """What is missing drawn once, by importance resampling of K = num_samples draws a row."""
        return self._filled(inputs, fillings=1)

    def _filled(self, inputs: Tensors, fillings: int) -> Tensors:
        seed, num_samples = inputs.pop("seed"), inputs.pop("num_samples")
        batch = whole_batch(self.fields, inputs)
        last = most(num_samples, "num_samples", MAX_SCORE_SAMPLES)
        chunk = draws_at_once(seed, last)
        return {self.field: filled_holes(self.model, batch, seed, num_samples, chunk, fillings)[0]}

    def _anomaly(self, **inputs: tf.Tensor) -> Tensors:
        """Whether each example is strange to the model."""
        assert self.detector is not None  # else there is no such signature
        return self.detector.verdicts(whole_batch(self.fields, inputs))

    def interpolate(self, steps: tf.Tensor, **inputs: tf.Tensor) -> Tensors:
        """Decodes `steps` points of the line between two codes, both ends included.

        A row that asks for fewer steps than its neighbours repeats its end; one step is the start.
        """
        start, end = whole_batch(self.ends, inputs).values()
        count = most(steps, "steps")
        start, end = (self.encoded({self.field: x})[:, tf.newaxis] for x in (start, end))
        last = tf.cast(tf.maximum(steps - 1, 1), tf.float32)
        position = tf.cast(tf.range(count), tf.float32) / last[:, tf.newaxis]
        position = tf.where(steps[:, tf.newaxis] > 1, tf.minimum(position, 1.0), 0.0)
        weights = position[..., tf.newaxis]
        z = (1.0 - weights) * start + weights * end
        return {self.field: unfolded(self.decoded, z, {})}
