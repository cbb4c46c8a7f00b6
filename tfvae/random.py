"""Counter-based random numbers that are the same in Python, behind a server and on a phone.

A draw is a pure function of its position, the seed and the stream:

    (k1, k2)           = feistel(seed, stream)               64 bits, one to one
    bits[position]     = mix(mix(position ^ k1) ^ k2)        32 bits, one to one in position
    uniform[position]  = (floor(bits / 2^9) + 1/2) / 2^23    in (0, 1), both ends excluded
    normal[position]   = sqrt(-2 log u) cos(2 pi v)          Box-Muller; u, v have their own keys

`position` is the index into the flattened result, so row i does not depend on how many rows are
asked for: `normal((4, D), seed)` is the beginning of `normal((16, D), seed)`. Words and uniforms
are so bit for bit, normals to the last bit of a float32: the loop over a tensor rounds its last few
entries, which do not fill a vector register, separately.

`mix` is a bijection of 32-bit words built from xor, logical shift right and wrap-around
multiplication: the uint32 arithmetic that TFLite has built in (it has no uint32 addition). XLA
fuses the chain into one loop over the result. Within one seed and stream no word repeats before
all 2^32 have been drawn; `uniform` repeats sooner, because it has only 2^23 different values.

Choose this over `tf.random.stateless_*` when a draw must be reproduced outside TensorFlow, or must
be cheap inside an XLA step. It is not for cryptography.

References:
    Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3" (counters).
    Wellons 2018, "Prospecting for hash functions" (the constants of `mix`).
    Box, Muller 1958, "A note on the generation of random normal deviates".
"""

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfvae.checks import int32
from tfvae.errors import UserError, UserTypeError

_MULTIPLIERS = (0x21F0AAAD, 0xD35A2D97)  # odd, hence invertible modulo 2^32
_SHIFTS = (16, 15, 15)
# Digits of the golden ratio, pi, e and the square root of 2: arbitrary, and seen to be so.
_ROUNDS = (0x9E3779B9, 0x243F6A89, 0xB7E15162, 0x6A09E667)
# What words are for: one seed and stream give unrelated words to different uses.
_BITS, _RADIUS, _ANGLE = 0x00000000, 0x3C6EF372, 0xA54FF53A

Integer = int | np.integer | tf.Tensor
Shape = Sequence[int | tf.Tensor]


def bits(shape: Shape, seed: Integer, stream: Integer = 0) -> tf.Tensor:
    """Random 32-bit words.

    Args:
        shape: the result's shape, less than 2^31 words. Its first entry may be a scalar int32
            tensor, the others are ints.
        seed: any int32, negative included: an int, or a scalar int32 or uint32 tensor.
        stream: likewise; unrelated sequences for one seed, such as the steps of a training run.

    Returns:
        uint32 tensor of `shape`. All words of one call differ from each other.

    Raises:
        UserError: for a seed or stream outside int32, or for too large a shape.
        UserTypeError: for a seed or stream that is not a scalar 32-bit integer.

    Example:
        >>> import tfvae.random
        >>> tfvae.random.bits((2,), seed=1).dtype.name
        'uint32'
    """
    found = words(_positions(shape), word(seed, "seed"), word(stream, "stream"))
    return _shaped(found[0], shape)


def uniform(shape: Shape, seed: Integer, stream: Integer = 0) -> tf.Tensor:
    """Uniform float32 numbers in the open interval (0, 1): the 2^23 odd multiples of 2^-24.

    They are the upper 23 bits of `bits(shape, seed, stream)`, whose arguments these are. Neither 0
    nor 1 can occur, so logarithms are finite, and `uniform < p` is never true at p = 0 and always
    true at p = 1.
    """
    return uniforms_of(bits(shape, seed, stream))


def normal(shape: Shape, seed: Integer, stream: Integer = 0) -> tf.Tensor:
    """Standard normal float32 numbers, always finite; the arguments are those of `bits`.

    Box-Muller on two words each. The radius uses all 32 bits of its word, so that the tails reach
    6.7 standard deviations.

    Example:
        >>> import tfvae.random
        >>> few, many = tfvae.random.normal((2, 3), seed=7), tfvae.random.normal((9, 3), seed=7)
        >>> bool(abs(few.numpy() - many.numpy()[:2]).max() < 1e-6)
        True
    """
    seed, stream = word(seed, "seed"), word(stream, "stream")
    return _shaped(normals_at(_positions(shape), seed, stream), shape)


def word(value: Integer, name: str) -> tf.Tensor:
    """A seed or a stream as a scalar uint32 tensor, which a compiled function takes.

    Args:
        value: any int32, negative included: an int, or a scalar int32 or uint32 tensor.
        name: what to call it in an error.

    Raises:
        UserError: for an int outside int32.
        UserTypeError: for anything but a scalar 32-bit integer.
    """
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return _uint32(int32(name, value) % 2**32)
    tensor = tf.convert_to_tensor(value)
    if tensor.dtype not in (tf.int32, tf.uint32) or tensor.shape.rank not in (0, None):
        raise UserTypeError(
            f"{name} is {tensor.dtype.name} of shape {tensor.shape}; expected an int or a scalar "
            "int32 tensor (tf.cast a longer one, which keeps its low 32 bits)"
        )
    return tf.cast(tensor, tf.uint32)


def _cosine(turns: tf.Tensor) -> tf.Tensor:
    """cos(2 pi turns) for turns in (0, 1), within 2e-7.

    The sine's series about a quarter turn: XLA calls the C library's cosine for each number, which
    takes four times as long as all the rest of `normal`.
    """
    x = np.float32(2.0 * math.pi) * (tf.abs(turns - 0.5) - 0.25)  # in (-pi / 2, pi / 2)
    square, series = x * x, tf.zeros_like(x)
    for n in (11, 9, 7, 5, 3):
        sign = 1.0 if n % 4 == 1 else -1.0
        series = square * (np.float32(sign / math.factorial(n)) + series)
    return x + x * series


def _exponential(words: tf.Tensor) -> tf.Tensor:
    """-log u for u = (words + 1/2) / 2^32."""
    u = (tf.cast(words, tf.float32) + 0.5) * np.float32(2.0**-32)
    complement = tf.bitwise.bitwise_xor(words, _uint32(0xFFFFFFFF))
    v = (tf.cast(complement, tf.float32) + 0.5) * np.float32(2.0**-32)  # 1 - u, without rounding
    # Near u = 1 the square root magnifies the last bit of the logarithm, which differs between
    # runtimes: XNNPACK's normals were 5e-5 off. The series, relative error below v^4, is not.
    series = v * (1.0 + v * (0.5 + v * (np.float32(1 / 3) + v * 0.25)))
    return tf.where(v < 1.0 / 64.0, series, -tf.math.log(u))


def words(
    position: tf.Tensor, seed: tf.Tensor, stream: tf.Tensor, uses: tuple[int, ...] = (_BITS,)
) -> list[tf.Tensor]:
    """One uint32 tensor of words for each use, at positions counted from 0.

    Args:
        position: int32 `[..., N]`, at least 0.
        seed, stream: uint32; their shapes broadcast to K, and `[*K, 1]` with the positions.
        uses: what the words are for; unrelated words for each.
    """
    first, second = _keys(seed, stream, uses)
    position = tf.cast(position, tf.uint32)
    found = []
    for use in range(len(uses)):
        mixed = _mix(tf.bitwise.bitwise_xor(position, _key(first, use)))
        found.append(_mix(tf.bitwise.bitwise_xor(mixed, _key(second, use))))
    return found


def uniforms_of(found: tf.Tensor) -> tf.Tensor:
    """Words as uniform float32 numbers in (0, 1); see `uniform`."""
    # 23 bits and a half are exact in float32; with 24 the largest would round to 1.
    steps = tf.cast(tf.bitwise.right_shift(found, _uint32(9)), tf.float32)
    return (steps + 0.5) * np.float32(2.0**-23)


def normals_at(position: tf.Tensor, seed: tf.Tensor, stream: tf.Tensor) -> tf.Tensor:
    """Standard normal numbers at positions; the arguments are those of `words`."""
    radius_words, angle_words = words(position, seed, stream, (_RADIUS, _ANGLE))
    radius = tf.sqrt(2.0 * _exponential(radius_words))
    return radius * _cosine(uniforms_of(angle_words))


def _positions(shape: Shape) -> tf.Tensor:
    """The indices into a flattened result of this shape, int32 `[N]`."""
    rows, *rest = tuple(shape) or (1,)
    row_size = math.prod(rest)
    if isinstance(rows, int) and rows * row_size >= 2**31:
        raise UserError(f"shape {tuple(shape)} has 2^31 words or more: draw it in several streams")
    return tf.range(rows * row_size)


def _shaped(values: tf.Tensor, shape: Shape) -> tf.Tensor:
    return tf.reshape(values, [*shape] if len(shape) else [])


def _keys(seed: tf.Tensor, stream: tf.Tensor, uses: tuple[int, ...]) -> tuple[tf.Tensor, tf.Tensor]:
    """Four Feistel rounds: different (seed, stream) give different keys, whatever `mix` does.

    Both are `[*K, uses]`, for seeds and streams whose shapes broadcast to K.
    """
    if seed.shape.rank:
        seed = seed[..., tf.newaxis]
    if stream.shape.rank:
        stream = stream[..., tf.newaxis]
    left, right = tf.bitwise.bitwise_xor(seed, tf.constant(uses, tf.uint32)), stream
    for constant in _ROUNDS:
        scrambled = _mix(tf.bitwise.bitwise_xor(right, _uint32(constant)))
        left, right = right, tf.bitwise.bitwise_xor(left, scrambled)
    return left, right


def _key(keys: tf.Tensor, use: int) -> tf.Tensor:
    """A use's key, to be combined with positions: `[]`, or `[*K, 1]`."""
    return keys[use] if keys.shape.rank == 1 else keys[..., use, tf.newaxis]


def _mix(word: tf.Tensor) -> tf.Tensor:
    for shift, multiplier in zip(_SHIFTS, (*_MULTIPLIERS, None), strict=True):
        word = tf.bitwise.bitwise_xor(word, tf.bitwise.right_shift(word, _uint32(shift)))
        word = word if multiplier is None else word * _uint32(multiplier)
    return word


def _uint32(value: int) -> tf.Tensor:
    return tf.constant(value, tf.uint32)
