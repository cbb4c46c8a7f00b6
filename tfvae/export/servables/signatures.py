"""What the exported signatures share: their form, their limits, images as bytes.

One rule holds for every signature of every servable: **each input has one row per example, and
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

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from tfvae.data.fields import Field
from tfvae.errors import UserError

# Inputs that say how much work a request is.
COUNTS = ("num_samples", "steps")
# All inputs that are neither fields nor codes, one number a row.
NUMBERS = (*COUNTS, "seed", "temperature")
# A request may ask for this many examples or latents in one row, and in all of its rows together: a
# wrong number is answered with an error instead of with an exhausted memory.
MAX_SAMPLES_PER_ROW = 4_096
MAX_SAMPLES = 16_384
# `score` works in chunks of constant memory, so only its time needs a limit.
MAX_SCORE_SAMPLES = 100_000

Tensors = dict[str, tf.Tensor]


def shared(function: Callable) -> Callable:
    """What several signatures call: the file holds its graph once."""
    return tf.function(function, autograph=False)


@dataclass(frozen=True)
class Signature:
    """A function from named tensors to named tensors, and what it takes.

    Args:
        function: called with the inputs by name, returns a dict of outputs.
        inputs: name -> `tf.TensorSpec`, whose first dimension is free.
        fields: what an input that is a field of an example may hold, by the input's name.
    """

    function: Callable[..., Tensors]
    inputs: dict[str, tf.TensorSpec]
    fields: Mapping[str, Field] = field(default_factory=dict)

    def concrete(self) -> tf.types.experimental.ConcreteFunction:
        """Traces the function at its input specs, named as the inputs are."""
        return shared(self.function).get_concrete_function(**self.inputs)


def per_row(dtype: tf.DType, shape: tuple[int, ...] = ()) -> tf.TensorSpec:
    """The spec of an input with one value of `shape` per row."""
    return tf.TensorSpec([None, *shape], dtype)


def per_rows(fields: Mapping[str, Field]) -> dict[str, tf.TensorSpec]:
    """The specs of fields."""
    return {name: per_row(tf.as_dtype(f.dtype), f.shape) for name, f in fields.items()}


def per_count(**counts: tf.DType) -> dict[str, tf.TensorSpec]:
    """The specs of inputs with one number per row."""
    return {name: per_row(dtype) for name, dtype in counts.items()}


def is_image(declared: Field) -> bool:
    """Whether a field can be sent as bytes or as an encoded file: images in [0, 1].

    Their channels are 1, 3 or 4, and the field may allow any real number.
    """
    shape, interval = declared.shape, declared.interval
    pixels = declared.dtype == "float32" and interval in (None, (0.0, 1.0))
    return pixels and len(shape) == 3 and shape[-1] in (1, 3, 4)


def of_bytes(signature: Signature, name: str) -> dict[str, Signature]:
    """The same signature for clients that hold the pixels of a field as bytes.

    Returns:
        For an image, `uint8` takes it as uint8 `[B, H, W, C]`, 0 to 255, and `image_bytes` takes
        one encoded PNG or JPEG a row instead (over REST `{"b64": ...}`); both are scaled to
        [0, 1] in the graph. The other inputs stay. For any other field nothing.
    """
    declared = signature.fields[name]
    if not is_image(declared):
        return {}
    shape = declared.shape
    rest = {other: spec for other, spec in signature.inputs.items() if other != name}
    fields = {other: f for other, f in signature.fields.items() if other != name}

    def from_uint8(**inputs: tf.Tensor) -> Tensors:
        return signature.function(**{**inputs, name: scaled(inputs[name])})

    def from_bytes(image_bytes: tf.Tensor, **inputs: tf.Tensor) -> Tensors:
        return signature.function(**inputs, **{name: decoded(image_bytes, shape)})

    encoded = {"image_bytes": declared}
    return {
        "uint8": Signature(from_uint8, {name: per_row(tf.uint8, shape), **rest}, fields),
        "image_bytes": Signature(
            from_bytes, {"image_bytes": per_row(tf.string), **rest}, {**fields, **encoded}
        ),
    }


def scaled(pixels: tf.Tensor) -> tf.Tensor:
    """Bytes 0..255 as float32 in [0, 1]: division by 255, as `tfvae.data` does."""
    return tf.cast(pixels, tf.float32) / 255.0


def decoded(image_bytes: tf.Tensor, shape: tuple[int, ...]) -> tf.Tensor:
    """PNG or JPEG files `[B]` as float32 images `[B, H, W, C]` in [0, 1].

    Colours are converted to the model's channels; another height or width is refused, because how
    to crop or resize is the client's to know.
    """

    def one(file: tf.Tensor) -> tf.Tensor:
        image = tf.io.decode_image(file, channels=shape[-1], expand_animations=False)
        same = tf.reduce_all(tf.equal(tf.shape(image), tf.constant(shape)))
        message = f"the image's height, width, channels are not {shape}: resize it"
        with tf.control_dependencies([tf.debugging.Assert(same, [message, tf.shape(image)])]):
            image = tf.identity(image)
        image.set_shape(shape)
        return image

    return scaled(tf.map_fn(one, image_bytes, fn_output_signature=tf.TensorSpec(shape, tf.uint8)))


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


def whole_batch(fields: Mapping[str, Field], inputs: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """The fields among the inputs, of one length, whole numbers checked to lie within theirs."""
    found = {name: inputs[name] for name in fields}
    if len(found) > 1:
        found = dict(zip(found, same_rows(next(iter(found.values())), **found), strict=True))
    for name, declared in fields.items():
        if declared.dtype == "int32" and declared.interval is not None:
            low, high = declared.interval
            valid = tf.reduce_all((found[name] >= low) & (found[name] <= high))
            message = f"{name} must be from {low} to {high}; received:"
            check = tf.debugging.Assert(valid, [message, found[name]])
            with tf.control_dependencies([check]):
                found[name] = tf.identity(found[name])
    return found


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


def check_names(model: Any, kind: str, names: Iterable[str], taken: Collection[str]) -> None:
    """Raises `UserError` for a name that a signature uses for another of its inputs or outputs."""
    for name in names:
        if name in taken:
            raise UserError(
                f"{type(model).__name__} has a {kind} {name!r}, and that is what its signatures "
                "call another input or output: rename it before exporting."
            )


def named_codes(z: Any) -> Tensors:
    """Codes as named tensors: `z`, or the names of a nest's levels."""
    return {"z": z} if tf.is_tensor(z) else dict(z)


def row_first(z: Any) -> Any:
    """Codes `[S, B, ...]` as `[B, S, ...]`."""

    def swapped(level: tf.Tensor) -> tf.Tensor:
        return tf.transpose(level, [1, 0, *range(2, level.shape.rank)])

    return tf.nest.map_structure(swapped, z)
