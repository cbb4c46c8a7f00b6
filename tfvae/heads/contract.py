"""What a head may return: checked where it is used, so that a mistake ends in one message."""

import inspect
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.errors import UserError, UserTypeError

tfd = tfp.distributions


def checked_distribution(head: Any, parameters: Any, leading: Any) -> tfd.Distribution:
    """Returns `head.distribution(**parameters)`, one draw of which has the head's shape.

    Args:
        head: a `Head`.
        parameters: what its `parameters` returned.
        leading: the leading axes of the parameters, `[N]` or `[S, N]`.

    Raises:
        UserError: says which of the two methods returned what, and what it should.
    """
    kind, leading = type(head).__name__, tf.TensorShape(leading)
    _check_parameters(head, parameters, leading, kind)
    found = head.distribution(**parameters)
    if not isinstance(found, tfd.Distribution):
        raise UserTypeError(
            f"{kind}.distribution() returned a {type(found).__name__}; expected a distribution of "
            "tensorflow_probability, such as tfd.MultivariateNormalDiag(loc, scale)."
        )
    batch, event = found.batch_shape, found.event_shape
    if not (batch.is_compatible_with(leading) and event.is_compatible_with(head.event_shape)):
        raise UserError(
            f"{kind}.distribution() returned a {type(found).__name__} of batch shape {batch} and "
            f"event shape {event}, for parameters of {leading} rows; expected {leading} and "
            f"{tuple(head.event_shape)}: a distribution over the whole of one draw, for any "
            "leading axes. tfd.Independent(distribution, number of axes of one draw) makes one of "
            "entries."
        )
    return found


def check_head(head: Any, features_shape: tuple[int | None, ...]) -> tfd.Distribution | None:
    """Refuses a head that makes of two rows of zeros what it may not, also behind a sample axis.

    Args:
        head: a built `Head`.
        features_shape: of a batch.

    Returns:
        The distribution of two rows, or None where features have no fixed shape.
    """
    if None in features_shape[1:]:
        return None
    with tf.init_scope():
        features = tf.zeros([2, *features_shape[1:]])
        found = head(features)
        sampled = {name: value[tf.newaxis] for name, value in head.parameters(features).items()}
        checked_distribution(head, sampled, [1, 2])
    return found


def _check_parameters(head: Any, parameters: Any, leading: tf.TensorShape, kind: str) -> None:
    if not isinstance(parameters, Mapping):
        raise UserTypeError(
            f"{kind}.parameters() returned a {type(parameters).__name__}; expected a dict of "
            'tensors by the names of what distribution() takes, such as {"loc": ...}.'
        )
    try:
        inspect.signature(head.distribution).bind(**parameters)
    except TypeError as error:
        raise UserTypeError(
            f"{kind}.parameters() returned {', '.join(parameters)}, and {kind}.distribution() "
            f"takes {', '.join(inspect.signature(head.distribution).parameters)} ({error}). Give "
            "both the same names."
        ) from None
    for name, value in parameters.items():
        if not (tf.is_tensor(value) or isinstance(value, keras.Variable)):
            raise UserTypeError(
                f"{kind}.parameters()[{name!r}] is a {type(value).__name__}; expected a tensor."
            )
        if not tf.TensorShape(value.shape[: leading.rank]).is_compatible_with(leading):
            raise UserError(
                f"{kind}.parameters()[{name!r}] has shape {value.shape}; expected {leading} first, "
                "one row for each of the features. tf.broadcast_to repeats what all rows share."
            )
