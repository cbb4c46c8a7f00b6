"""Errors that are the user's: what they are as well, and that compiled code leaves them so."""

import pytest
import tensorflow as tf

from tfvae import errors

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.UserError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_each_has_its_message_and_is_a_value_error(kind):
    error = kind("what was received")
    assert str(error) == "what was received"
    assert isinstance(error, ValueError)


@pytest.mark.parametrize("kind", KINDS)
def test_a_traced_function_raises_what_it_raised(kind):
    """AutoGraph turns errors of classes that it can't make anew into a StagingError."""

    def function(x):
        raise kind("what was received")

    with pytest.raises(kind, match="what was received") as caught:
        tf.function(function)(tf.constant(1.0))
    assert type(caught.value) is kind
