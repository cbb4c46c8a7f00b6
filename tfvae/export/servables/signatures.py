"""What the exported signatures share: their form, their limits, images as bytes, seeded noise.

One rule holds for every signature of the three servables: **each input has one row per example, and
each output the same rows first**. TensorFlow Serving needs that twice over:

* the REST row format (`"instances"`) stacks one value per instance into every input, so a scalar
  can't be sent in it, and wants outputs of one common length;
* server-side batching concatenates the inputs of several requests along axis 0, refuses scalars and
  unequal lengths, and cuts every output back at the same rows.

So `num_samples`, `steps`, `seed` and `temperature` are `[B]`, and what is asked for `S` times a row
comes back as `[B, S, ...]`. A row depends on its own inputs only. Where rows ask for different
counts (which is what a server makes of two clients), S is the largest of them; a row's own count
is the beginning of its S entries.
"""

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from tfvae.inference.rows import normals

# Inputs that say how much work a request is.
COUNTS = ("num_samples", "steps")
# A request may ask for this many images or latents in one row, and in all of its rows together: a
# wrong number is answered with an error instead of with an exhausted memory.
MAX_SAMPLES_PER_ROW = 4_096
MAX_SAMPLES = 16_384
# `score` works in chunks of constant memory, so only its time needs a limit.
MAX_SCORE_SAMPLES = 100_000


@dataclass(frozen=True)
class Signature:
    """A function from named tensors to named tensors, and what it takes.

    Args:
        function: called with the inputs by name, returns a dict of outputs.
        inputs: name -> `tf.TensorSpec`, whose first dimension is free.
    """

    function: Callable[..., dict[str, tf.Tensor]]
    inputs: dict[str, tf.TensorSpec]

    def concrete(self) -> tf.types.experimental.ConcreteFunction:
        """Traces the function at its input specs, named as the inputs are."""
        return tf.function(self.function).get_concrete_function(**self.inputs)


def per_row(dtype: tf.DType, shape: tuple[int, ...] = ()) -> tf.TensorSpec:
    """The spec of an input with one value of `shape` per row."""
    return tf.TensorSpec([None, *shape], dtype)


def of_bytes(signature: Signature, image_shape: tuple[int, ...]) -> dict[str, Signature]:
    """The same signature for clients that hold pixels as bytes: scaled inside the graph.

    Returns:
        `uint8` takes `images` as uint8 `[B, H, W, C]`, 0 to 255; `image_bytes` takes one encoded
        PNG or JPEG a row instead (over REST `{"b64": ...}`). The other inputs stay. The latter is
        there only where the images have 1, 3 or 4 channels, as the encoded formats do.
    """
    rest = {name: spec for name, spec in signature.inputs.items() if name != "images"}

    def from_uint8(images: tf.Tensor, **others: tf.Tensor) -> dict[str, tf.Tensor]:
        return signature.function(images=scaled(images), **others)

    def from_bytes(image_bytes: tf.Tensor, **others: tf.Tensor) -> dict[str, tf.Tensor]:
        return signature.function(images=decoded(image_bytes, image_shape), **others)

    forms = {"uint8": Signature(from_uint8, {"images": per_row(tf.uint8, image_shape), **rest})}
    if len(image_shape) == 3 and image_shape[-1] in (1, 3, 4):
        inputs = {"image_bytes": per_row(tf.string), **rest}
        forms["image_bytes"] = Signature(from_bytes, inputs)
    return forms


def scaled(pixels: tf.Tensor) -> tf.Tensor:
    """Bytes 0..255 as float32 in [0, 1]: division by 255, as `tfvae.data` does."""
    return tf.cast(pixels, tf.float32) / 255.0


def decoded(image_bytes: tf.Tensor, image_shape: tuple[int, ...]) -> tf.Tensor:
    """PNG or JPEG files `[B]` as float32 images `[B, H, W, C]` in [0, 1].

    Colours are converted to the model's channels; another height or width is refused, because how
    to crop or resize is the client's to know.
    """

    def one(file: tf.Tensor) -> tf.Tensor:
        image = tf.io.decode_image(file, channels=image_shape[-1], expand_animations=False)
        expected = tf.constant(image_shape)
        same = tf.reduce_all(tf.equal(tf.shape(image), expected))
        message = f"the image's height, width, channels are not {image_shape}: resize it"
        with tf.control_dependencies([tf.debugging.Assert(same, [message, tf.shape(image)])]):
            image = tf.identity(image)
        image.set_shape(image_shape)
        return image

    spec = tf.TensorSpec(image_shape, tf.uint8)
    return scaled(tf.map_fn(one, image_bytes, fn_output_signature=spec))


def same_rows(reference: tf.Tensor, **inputs: tf.Tensor) -> list[tf.Tensor]:
    """The inputs, checked to have one value per row of `reference`."""
    checked = []
    for name, values in inputs.items():
        same = tf.equal(tf.shape(values)[0], tf.shape(reference)[0])
        data = [f"{name} needs one value per row; values, rows:", tf.shape(values)[0]]
        check = tf.debugging.Assert(same, [*data, tf.shape(reference)[0]])
        with tf.control_dependencies([check]):
            checked.append(tf.identity(values))
    return checked


def most(counts: tf.Tensor, name: str, per_row: int, total: int | None = None) -> tf.Tensor:
    """S: the largest of the rows' counts `[B]`, checked to lie within the limits."""
    valid = tf.reduce_all((counts >= 1) & (counts <= per_row))
    check = tf.debugging.Assert(valid, [f"{name} must be from 1 to {per_row}; received:", counts])
    with tf.control_dependencies([check]):
        largest = tf.reduce_max(tf.concat([counts, [1]], axis=0))  # 1 where there are no rows
    if total is None:
        return largest
    rows = tf.size(counts, tf.int64)  # the product of two int32 could wrap around
    message = f"{name} times rows must be at most {total}: split the request; received:"
    fits = tf.cast(largest, tf.int64) * rows <= total
    check = tf.debugging.Assert(fits, [message, largest, rows])
    with tf.control_dependencies([check]):
        return tf.identity(largest)


def noise(seeds: tf.Tensor, first: tf.Tensor, count: tf.Tensor, size: int) -> tf.Tensor:
    """Standard normal draws `first`, ..., `first + count - 1` of every row.

    Draw k of a row is a function of the row's seed and k alone, so results change neither with the
    batch size nor with how the draws are cut into chunks.

    Shapes: `seeds [B]` int32 -> `[count, B, size]` float32.
    """
    # Negative streams: the prior's draws from the same seed use those from 0 on.
    return normals(seeds, -1 - (first + tf.range(count)), size)
