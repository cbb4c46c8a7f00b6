"""Signatures for clients that hold images as bytes, or as PNG and JPEG files."""

import tensorflow as tf

from tfvae.data.fields import Field
from tfvae.export.servables.checks import asserted
from tfvae.export.servables.signatures import ServedSignature, Tensors, per_row


def is_image(declared: Field) -> bool:
    """Whether a field can be sent as bytes or as an encoded file: images in [0, 1].

    Their channels are 1, 3 or 4, and the field may allow any real number, but no fewer than the
    256 levels of bytes.
    """
    shape, interval = declared.shape, declared.interval
    of_bytes = declared.spacing is None or abs(255.0 * declared.spacing - 1.0) < 1e-6
    pixels = declared.dtype == "float32" and interval in (None, (0.0, 1.0)) and of_bytes
    return pixels and len(shape) == 3 and shape[-1] in (1, 3, 4)


def of_bytes(signature: ServedSignature, name: str) -> dict[str, ServedSignature]:
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
        "uint8": ServedSignature(from_uint8, {name: per_row(tf.uint8, shape), **rest}, fields),
        "image_bytes": ServedSignature(
            from_bytes, {"image_bytes": per_row(tf.string), **rest}, {**fields, **encoded}
        ),
    }


def scaled(pixels: tf.Tensor) -> tf.Tensor:
    """Bytes 0..255 as float32 in [0, 1]: division by 255, as `tfvae.data` does."""
    return tf.cast(pixels, tf.float32) / 255.0


def decoded(image_bytes: tf.Tensor, shape: tuple[int, ...]) -> tf.Tensor:
    """PNG or JPEG files `[B]` as float32 images `[B, H, W, C]` in [0, 1].

    Colours are converted to the model's channels; another height or width is refused, because how
    to crop or resize is the client's to know, and before decoding: 253 kB of PNG can hold 200 MB.
    """

    def one(file: tf.Tensor) -> tf.Tensor:
        found = header_size(file)
        same = tf.reduce_all(tf.equal(found, shape[:2]))
        message = f"the image's height, width are not {shape[:2]}: resize it; received:"
        file = asserted(file, same, message, found)
        image = tf.io.decode_image(file, channels=shape[-1], expand_animations=False)
        return tf.ensure_shape(image, shape)

    return scaled(tf.map_fn(one, image_bytes, fn_output_signature=tf.TensorSpec(shape, tf.uint8)))


def header_size(file: tf.Tensor) -> tf.Tensor:
    """The height and width, int32 `[2]`, that a PNG or JPEG file claims; it is not decoded.

    Any other file is refused. A PNG begins with its signature and the chunk IHDR, whose first two
    words are width and height (W3C PNG, 5.2 and 11.2.1).
    """
    head = tf.strings.substr(file, 0, 24) + b"\0" * 24  # of a file that is shorter, too
    png = tf.equal(tf.strings.substr(head, 0, 8), b"\x89PNG\r\n\x1a\n")
    png &= tf.equal(tf.strings.substr(head, 12, 4), b"IHDR")
    jpeg = tf.equal(tf.strings.substr(head, 0, 3), b"\xff\xd8\xff")
    file = asserted(file, png | jpeg, "an image must be a PNG or JPEG file, and is neither")

    def of_png() -> tf.Tensor:
        words = tf.io.decode_raw(tf.strings.substr(head, 16, 8), tf.int32, little_endian=False)
        return tf.reverse(words, axis=[0])

    return tf.cond(png, of_png, lambda: tf.image.extract_jpeg_shape(file)[:2])
