"""The client of exported models."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from tfvae.checks import positive_int, real
from tfvae.errors import UserTypeError
from tfvae.export.limits import MAX_SAMPLES_PER_ROW, MAX_SCORE_SAMPLES
from tfvae.serving.client.about import ServedSet, served_set
from tfvae.serving.client.arguments import holes_filled, named, numbers, row_count, seeds
from tfvae.serving.client.connection import Connection
from tfvae.serving.client.splitting import by_draws, by_rows, cut
from tfvae.serving.json_tensors import NamedArrays


class Client(Connection):
    """Calls the exported servables `encoder`, `decoder` and `vae` behind TensorFlow Serving.

    NumPy goes in and comes out. Choose a `grpc://` address for large batches, where JSON costs more
    than the model; an `http://` one where TensorFlow is not installed, or a proxy is in between.
    One client may be used from many threads.

    What is larger than a request may be is sent in several, one after the other, and joined: a call
    of any number of rows or draws is one call here, though a new version may come between. Choose a
    version or a label where that matters.

    Args:
        url: `http://host:8501` or `https://...` for REST; `grpc://host:8500`, or `grpcs://...` with
            TLS and the system's root certificates, for gRPC.
        version: a version's number; by default the latest, or `label`'s.
        label: a version's label, such as "stable", as configured on the server.
        timeout: seconds for a request, its retries included.
        retries: how often a call that reached no model is made again; see `with_retries`.
        prefix: before the servables' names, where a server holds several exports: "mnist-" calls
            "mnist-encoder".
        headers: sent with every call, such as `{"Authorization": "Bearer ..."}`.
        field: the name of what the model models, `x` unless it calls that otherwise.
        max_reply_bytes: a longer reply is refused; 16,384 MNIST images over REST take 250 MB.

    Raises:
        ServingError: every call, with the server's message; see its subclasses in
            `tfvae.serving.client.errors`.
        ValueError, UserTypeError: for arguments that no server would take; nothing is sent then.

    Example:
        >>> from tfvae.serving import Client
        >>> with Client("http://localhost:8501", timeout=5.0) as client:  # doctest: +SKIP
        ...     x = client.sample(16, seed=1)
        ...     scores = client.score(x, num_samples=64, seed=0)["log_likelihood"]
    """

    def __init__(self, url: str, *, field: str = "x", **options: Any):
        super().__init__(url, **options)
        self.field = field

    def about(self) -> ServedSet:
        """Name, version and weights of the exported set that encoder, decoder and vae are of.

        Raises `MixedSetsError` where they are of several sets: codes of one may not fit another.
        """
        return served_set(self)

    def encode(self, x: Any, **fields: Any) -> NamedArrays:
        """The posteriors q(z|x): of a Normal `loc`, `scale_diag` or `scale_tril`, `mean`, `stddev`.

        x is float `[B, ...]` within the model's interval. Of images it may be uint8
        `[B, H, W, C]`, or a list of PNG or JPEG files' bytes. Further fields go in by name.
        """
        form, inputs = self._example(x, fields)
        return by_rows(partial(self.predict, "encoder", f"encode{form}"), inputs)

    def sample_posterior(
        self, x: Any, num_samples: int = 1, seed: Any = None, **fields: Any
    ) -> Any:
        """Draws `z [B, S, D]`, or levels by name, from the posteriors; random unless seeded.

        x is float. The seed is the first row's, and the next ones count on from it; or one for each
        row.
        """
        inputs = {self.field: numbers(self.field, x), **named(fields)}
        call = partial(self.predict, "encoder", "sample", output_name="z")
        found = by_draws(call, inputs, num_samples, seeds(seed, row_count(inputs)))
        return found["z"] if set(found) == {"z"} else found

    def decode(self, z: Any, **conditions: Any) -> NamedArrays:
        """The likelihoods p(x|z): of a Bernoulli `logits` and `probs`, of a Normal `loc`, `scale`.

        z is `[B, D]`, or a dict of levels by name.
        """
        codes = named(z) if isinstance(z, Mapping) else {"z": numbers("z", z)}
        call = partial(self.predict, "decoder", "decode")
        return by_rows(call, {**codes, **named(conditions)})

    def sample(
        self,
        num_samples: int,
        seed: int | None = None,
        temperature: float = 1.0,
        **conditions: Any,
    ) -> np.ndarray:
        """Draws x `[N, ...]` from the prior; a seed gives what `model.sample` gives for it.

        The temperature widens the prior. Conditions are one value each, such as `label=3`.
        """
        inputs = {name: numbers(name, [value]) for name, value in conditions.items()}
        inputs["temperature"] = np.array([real("temperature", temperature, minimum=0.0)], "f4")
        call = partial(self.predict, "decoder", "sample")
        return by_draws(call, inputs, num_samples, seeds(seed, 1))[self.field][0]

    def reconstruct(self, x: Any, **fields: Any) -> np.ndarray:
        """The likelihood's mean at the code of each example, `[B, ...]`; x as in `encode`."""
        form, inputs = self._example(x, fields)
        call = partial(self.predict, "vae", f"reconstruct{form}", output_name=self.field)
        return by_rows(call, inputs)[self.field]

    def score(self, x: Any, num_samples: int = 64, seed: Any = 0, **fields: Any) -> NamedArrays:
        """Nats, each `[B]`: `log_likelihood` (importance-weighted), `elbo`, `nll`, `kl`.

        x is as in `encode`, the seed as in `sample_posterior`; more samples, 8,192 at most, make
        the bound tighter and the call longer, in proportion.
        """
        form, inputs = self._example(x, fields)
        rows = row_count(inputs)
        num_samples = positive_int("num_samples", num_samples, maximum=MAX_SCORE_SAMPLES)
        inputs |= {"num_samples": np.full(rows, num_samples, np.int32), "seed": seeds(seed, rows)}
        return by_rows(partial(self.predict, "vae", f"score{form}"), inputs, num_samples)

    def classify(self, x: Any, **fields: Any) -> NamedArrays:
        """How likely each class is given x: `probabilities [B, K]`, and `label [B]`, the likeliest.

        Of a model that classifies, such as a `SemiSupervisedVAE`. x is float.
        """
        inputs = {self.field: numbers(self.field, x), **named(fields)}
        found = by_rows(partial(self.predict, "encoder", "classify"), inputs)
        return {**found, "label": found["label"].astype(np.int32)}  # of JSON, int64

    def anomaly(self, x: Any, **fields: Any) -> NamedArrays:
        """`score [B]`, nats, higher = less normal, and `is_anomaly [B]`, by the served threshold.

        Of an export with a detector. x is as in `encode`.
        """
        form, inputs = self._example(x, fields)
        return by_rows(partial(self.predict, "vae", f"anomaly{form}"), inputs)

    def denoise(self, x: Any, **fields: Any) -> np.ndarray:
        """The likelihood's mean at the code of each corrupted example, `[B, ...]`.

        Of a model with a corruption, whose noise may leave the interval of x; x is as in `encode`.
        """
        form, inputs = self._example(x, fields)
        call = partial(self.predict, "vae", f"denoise{form}", output_name=self.field)
        return by_rows(call, inputs)[self.field]

    def impute(
        self,
        x: Any,
        seen: Any = None,
        num_samples: int = 1000,
        multiple: int | None = None,
        seed: Any = 0,
        **fields: Any,
    ) -> np.ndarray:
        """Rows with their holes filled: by expectations `[B, ...]`, or M times at random.

        Of a model of rows with holes. x is as in `encode`; of one that takes NaN for a hole, `seen`
        is left out. Else `seen` has 1 for what is seen and 0 for holes, whose values in x, NaN too,
        are not read. `num_samples` are draws of z for each row, 8,192 at most. With `multiple`, M
        random fillings `[M, B, ...]`; the seed is the first row's of the first of them, and counts
        on.
        """
        holes = seen is None
        if not holes:
            fields = {**fields, "seen": seen}
            x = holes_filled(x, seen)
        form, inputs = self._example(x, fields, holes)
        rows = row_count(inputs)
        num_samples = positive_int("num_samples", num_samples, maximum=MAX_SCORE_SAMPLES)
        copies = 1 if multiple is None else positive_int("multiple", multiple)
        sent = {name: np.concatenate([values] * copies) for name, values in inputs.items()}
        sent["num_samples"] = np.full(rows * copies, num_samples, np.int32)
        sent["seed"] = seeds(seed, rows * copies)
        signature = f"{'impute' if multiple is None else 'impute_draw'}{form}"
        call = partial(self.predict, "vae", signature, output_name=self.field)
        found = by_rows(call, sent, num_samples)[self.field]
        return found if multiple is None else found.reshape(copies, rows, *found.shape[1:])

    def interpolate(self, start: Any, end: Any, steps: int) -> np.ndarray:
        """Decoded points of the lines between the codes of examples: `[B, steps, ...]`.

        A line has 64 points at most.
        """
        steps = positive_int("steps", steps, maximum=MAX_SAMPLES_PER_ROW)
        ends = {"start": numbers("start", start), "end": numbers("end", end)}
        inputs = {f"{name}_{self.field}": values for name, values in ends.items()}
        inputs["steps"] = np.full(row_count(ends), steps, np.int32)
        call = partial(self.predict, "vae", "interpolate", output_name=self.field)
        return by_rows(lambda part: cut(call(part), steps), inputs, steps)[self.field]

    def _example(
        self, x: Any, fields: Mapping[str, Any], holes: bool = False
    ) -> tuple[str, NamedArrays]:
        """The form of a signature that takes x, as its name ends, and the inputs."""
        others = named(fields)
        if isinstance(x, (bytes, bytearray)):
            raise UserTypeError(f"{self.field} is one file's bytes, expected a list of such files.")
        if isinstance(x, Sequence) and x and isinstance(x[0], (bytes, bytearray)):
            files = np.array([bytes(file) for file in x], object)
            return "_image_bytes", {"image_bytes": files, **others}
        array = np.asarray(x)
        if array.dtype == np.uint8 and array.size:
            return "_uint8", {self.field: array, **others}
        return "", {self.field: numbers(self.field, array, holes), **others}
