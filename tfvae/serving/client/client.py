"""The client of exported models."""

import secrets
from collections.abc import Sequence
from typing import Any

import numpy as np

from tfvae.errors import UserError, UserTypeError
from tfvae.serving.client.connection import Arrays, Connection


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
        max_reply_bytes: a longer reply is refused; 16,384 MNIST images over REST take 250 MB.

    Raises:
        ServingError: every call; a subclass of it, with the server's message.
        UserError: for arguments that no server would take; nothing is sent then.
    """

    def encode(self, images: Any) -> Arrays:
        """The posteriors q(z|x): `loc`, `scale_diag` or `scale_tril`, `mean`, `stddev`.

        Images are float `[B, H, W, C]` in [0, 1], or uint8, or a list of PNG or JPEG files' bytes.
        """
        form, inputs = _images(images)
        return self.predict("encoder", f"encode{form}", inputs)

    def sample_posterior(self, images: Any, num_samples: int = 1, seed: Any = None) -> np.ndarray:
        """Draws `z [B, S, D]` from the posteriors of float images; random unless seeded.

        The seed is the first row's, and the next ones count on from it; or one for each row.
        """
        images = _floats("images", images, unit=True)
        inputs = {"images": images, **_draws(num_samples, seed, len(images))}
        z = self.predict("encoder", "sample", inputs, output_name="z")["z"]
        return z[:, : inputs["num_samples"].max()]

    def decode(self, z: Any) -> Arrays:
        """The likelihoods p(x|z) of `z [B, D]`: `logits` and `probs`, or `loc` and `scale`."""
        return self.predict("decoder", "decode", {"z": _floats("z", z)})

    def sample(
        self, num_samples: int, seed: int | None = None, temperature: float = 1.0
    ) -> np.ndarray:
        """Draws images `[N, H, W, C]` from the prior; a seed gives what `vae.sample` gives for it.

        The exported model takes N up to 4096, and a temperature that widens the prior.
        """
        inputs = _draws(num_samples, seed, 1)
        inputs["temperature"] = _repeated("temperature", temperature, 1, np.float32)
        return self.predict("decoder", "sample", inputs)["images"][0, : inputs["num_samples"][0]]

    def reconstruct(self, images: Any) -> np.ndarray:
        """The likelihood's mean at the posterior's mean, `[B, H, W, C]`; images as in `encode`."""
        form, inputs = _images(images)
        return self.predict("vae", f"reconstruct{form}", inputs, output_name="images")["images"]

    def score(self, images: Any, num_samples: int = 64, seed: Any = 0) -> Arrays:
        """Nats, each `[B]`: `log_likelihood` (importance-weighted), `elbo`, `nll`, `kl`.

        Images are as in `encode`, the seed as in `sample_posterior`; more samples make the bound
        tighter and the call longer, in proportion.
        """
        form, inputs = _images(images)
        count = len(next(iter(inputs.values())))
        return self.predict("vae", f"score{form}", {**inputs, **_draws(num_samples, seed, count)})

    def interpolate(self, start_images: Any, end_images: Any, steps: int) -> np.ndarray:
        """Decoded points of the lines between posterior means: `[B, steps, H, W, C]`."""
        start = _floats("start_images", start_images, unit=True)
        end = _floats("end_images", end_images, unit=True)
        count = _repeated("steps", steps, len(start))
        inputs = {"start_images": start, "end_images": end, "steps": count}
        images = self.predict("vae", "interpolate", inputs, output_name="images")["images"]
        return images[:, : count.max()]


def _images(images: Any) -> tuple[str, Arrays]:
    """The form of a signature that takes these images, as its name ends, and its input."""
    if isinstance(images, (bytes, bytearray)):
        raise UserTypeError("images is one file's bytes, expected a list of such files.")
    if isinstance(images, Sequence) and images and isinstance(images[0], (bytes, bytearray)):
        return "_image_bytes", {"image_bytes": np.array([bytes(file) for file in images], object)}
    array = np.asarray(images)
    if array.dtype == np.uint8 and array.size:
        return "_uint8", {"images": array}
    return "", {"images": _floats("images", array, unit=True)}


def _floats(name: str, values: Any, unit: bool = False) -> np.ndarray:
    """Finite values as float32, with one row at least; in the unit interval if they have to be."""
    array = np.asarray(values)
    if array.ndim == 0 or array.size == 0:
        raise UserError(f"{name} must hold one row or more, received shape {array.shape}.")
    if array.dtype.kind not in "fb":
        raise UserTypeError(f"{name} must be floating-point numbers, received {array.dtype}.")
    array = array.astype(np.float32, copy=False)
    if not np.all(np.isfinite(array)):
        raise UserError(f"{name} must be finite, received NaN or infinity.")
    if unit and (array.min() < 0 or array.max() > 1):
        raise UserError(
            f"{name} must lie in [0, 1], received values from {array.min():g} to {array.max():g}. "
            "Scale them, or send uint8 images, which the model scales itself."
        )
    return array


def _draws(num_samples: Any, seed: Any, rows: int) -> dict[str, np.ndarray]:
    """`num_samples` and `seed`, one of each for every row.

    Given seeds stay as they are; from one s, the rows get s, s + 1, ... (mod 2^32). None draws s
    from the operating system.
    """
    given = _repeated("seed", secrets.randbits(32) - 2**31 if seed is None else seed, rows)
    if np.ndim(seed) == 0:
        given = (given + np.arange(rows)).astype(np.int32)  # int64, of which 32 bits are kept
    return {"num_samples": _repeated("num_samples", num_samples, rows), "seed": given}


def _repeated(name: str, value: Any, rows: int, dtype: Any = np.int32) -> np.ndarray:
    """One value per row, from one for all or one for each."""
    array = np.asarray(value)
    if array.dtype.kind not in ("iu" if dtype == np.int32 else "iuf"):
        raise UserTypeError(f"{name} must be {np.dtype(dtype).name}, received {value!r}.")
    if array.shape not in ((), (rows,)):
        raise UserError(
            f"{name} must be one value, or one for each of {rows} rows; received shape "
            f"{array.shape}."
        )
    if dtype == np.int32 and np.any((array < -(2**31)) | (array >= 2**31)):
        raise UserError(f"{name} must fit in 32 bits, received {value!r}.")
    return np.full(rows, array, dtype)
