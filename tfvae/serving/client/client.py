"""The client of exported models."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfvae.errors import UserError, UserTypeError
from tfvae.serving.client.about import ServedSet, served_set
from tfvae.serving.client.connection import Connection, NamedArrays
from tfvae.serving.client.draws import draws, repeated


class Client(Connection):
    """Calls the exported servables `encoder`, `decoder` and `vae` behind TensorFlow Serving.

    NumPy goes in and comes out. Choose a `grpc://` address for large batches, where JSON costs more
    than the model; an `http://` one where TensorFlow is not installed, or a proxy is in between.
    One client may be used from many threads.

    A server that merges requests answers with as many samples as the largest of them asked for; the
    client returns its own, which are the first ones.

    Args:
        url: `http://host:8501` or `https://...` for REST; `grpc://host:8500`, or `grpcs://...` with
            TLS and the system's root certificates, for gRPC.
        version: a version's number; by default the latest, or `label`'s.
        label: a version's label, such as "stable", as configured on the server.
        timeout: seconds for a call, its retries included.
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
        return self.predict("encoder", f"encode{form}", inputs)

    def sample_posterior(
        self, x: Any, num_samples: int = 1, seed: Any = None, **fields: Any
    ) -> Any:
        """Draws `z [B, S, D]`, or levels by name, from the posteriors; random unless seeded.

        x is float. The seed is the first row's, and the next ones count on from it; or one for each
        row.
        """
        inputs = {self.field: _numbers(self.field, x), **_named(fields)}
        inputs |= draws(num_samples, seed, len(inputs[self.field]))
        found = self.predict("encoder", "sample", inputs, output_name="z")
        count = inputs["num_samples"].max()
        found = {name: z[:, :count] for name, z in found.items()}
        return found["z"] if set(found) == {"z"} else found

    def decode(self, z: Any, **conditions: Any) -> NamedArrays:
        """The likelihoods p(x|z): of a Bernoulli `logits` and `probs`, of a Normal `loc`, `scale`.

        z is `[B, D]`, or a dict of levels by name.
        """
        codes = _named(z) if isinstance(z, Mapping) else {"z": _numbers("z", z)}
        return self.predict("decoder", "decode", {**codes, **_named(conditions)})

    def sample(
        self,
        num_samples: int,
        seed: int | None = None,
        temperature: float = 1.0,
        **conditions: Any,
    ) -> np.ndarray:
        """Draws x `[N, ...]` from the prior; a seed gives what `model.sample` gives for it.

        The exported model takes N up to 4096, and a temperature that widens the prior. Conditions
        are one value each, such as `label=3`.
        """
        inputs = draws(num_samples, seed, 1)
        inputs["temperature"] = repeated("temperature", temperature, 1, np.float32)
        inputs |= {name: _numbers(name, [value]) for name, value in conditions.items()}
        drawn = self.predict("decoder", "sample", inputs)[self.field]
        return drawn[0, : inputs["num_samples"][0]]

    def reconstruct(self, x: Any, **fields: Any) -> np.ndarray:
        """The likelihood's mean at the code of each example, `[B, ...]`; x as in `encode`."""
        form, inputs = self._example(x, fields)
        name = f"reconstruct{form}"
        return self.predict("vae", name, inputs, output_name=self.field)[self.field]

    def score(self, x: Any, num_samples: int = 64, seed: Any = 0, **fields: Any) -> NamedArrays:
        """Nats, each `[B]`: `log_likelihood` (importance-weighted), `elbo`, `nll`, `kl`.

        x is as in `encode`, the seed as in `sample_posterior`; more samples make the bound
        tighter and the call longer, in proportion.
        """
        form, inputs = self._example(x, fields)
        count = len(next(iter(inputs.values())))
        return self.predict("vae", f"score{form}", {**inputs, **draws(num_samples, seed, count)})

    def interpolate(self, start: Any, end: Any, steps: int) -> np.ndarray:
        """Decoded points of the lines between the codes of examples: `[B, steps, ...]`."""
        ends = {"start": _numbers("start", start), "end": _numbers("end", end)}
        count = repeated("steps", steps, len(ends["start"]))
        inputs = {f"{name}_{self.field}": values for name, values in ends.items()}
        inputs["steps"] = count
        drawn = self.predict("vae", "interpolate", inputs, output_name=self.field)[self.field]
        return drawn[:, : count.max()]

    def _example(self, x: Any, fields: Mapping[str, Any]) -> tuple[str, NamedArrays]:
        """The form of a signature that takes x, as its name ends, and the inputs."""
        others = _named(fields)
        if isinstance(x, (bytes, bytearray)):
            raise UserTypeError(f"{self.field} is one file's bytes, expected a list of such files.")
        if isinstance(x, Sequence) and x and isinstance(x[0], (bytes, bytearray)):
            files = np.array([bytes(file) for file in x], object)
            return "_image_bytes", {"image_bytes": files, **others}
        array = np.asarray(x)
        if array.dtype == np.uint8 and array.size:
            return "_uint8", {self.field: array, **others}
        return "", {self.field: _numbers(self.field, array), **others}


def _named(fields: Mapping[str, Any]) -> NamedArrays:
    return {name: _numbers(name, values) for name, values in fields.items()}


def _numbers(name: str, values: Any) -> np.ndarray:
    """Finite values, one row at least: floats as float32, whole numbers as int32."""
    array = np.asarray(values)
    if array.ndim == 0 or array.size == 0:
        raise UserError(f"{name} must hold one row or more, received shape {array.shape}.")
    if array.dtype.kind in "iu" and array.min() >= -(2**31) and array.max() < 2**31:
        return array.astype(np.int32)
    if array.dtype.kind not in "fb":
        raise UserTypeError(f"{name} must be float or int32 numbers, received {array.dtype}.")
    array = array.astype(np.float32, copy=False)
    if not np.all(np.isfinite(array)):
        raise UserError(f"{name} must be finite, received NaN or infinity.")
    return array
