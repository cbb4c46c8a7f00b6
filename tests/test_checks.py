"""Argument checks: what passes, what is refused, and that the message says both."""

import fractions

import keras
import numpy as np
import pytest

from tfvae import checks


@pytest.mark.parametrize("value", [1, 7, np.int32(3), np.uint8(4)])
def test_positive_int_returns_an_int(value):
    result = checks.positive_int("size", value)
    assert result == value
    assert type(result) is int


@pytest.mark.parametrize("value", [0, -1, 1.0, "1", True, None, np.float32(2), [1]])
def test_positive_int_refuses(value):
    with pytest.raises(ValueError, match=r"^size must be an integer of at least 1, received ") as e:
        checks.positive_int("size", value)
    assert repr(value) in str(e.value)


def test_positive_int_has_a_most_where_one_is_given():
    assert checks.positive_int("size", 3, maximum=3) == 3
    with pytest.raises(ValueError, match="size must be an integer of at most 3, received 4"):
        checks.positive_int("size", 4, maximum=3)


def test_positive_ints():
    assert checks.positive_ints("units", [np.int64(3), 4]) == (3, 4)
    assert checks.positive_ints("units", (5,)) == (5,)
    with pytest.raises(ValueError, match=r"^units\[1\] must be .* received 0"):
        checks.positive_ints("units", [3, 0])
    for value in ([], 3, "34", None, {3: 4}):
        with pytest.raises(ValueError, match=r"^units must be a non-empty list of positive"):
            checks.positive_ints("units", value)


@pytest.mark.parametrize("value", [0, 0.5, -3, np.float32(0.25), fractions.Fraction(1, 2)])
def test_real_returns_a_float(value):
    result = checks.real("x", value)
    assert result == value
    assert type(result) is float


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1", None, True, 1j, [1.0]])
def test_real_refuses(value):
    with pytest.raises(ValueError, match=r"^x must be a finite number, received "):
        checks.real("x", value)


def test_real_bounds():
    assert checks.real("x", 0, minimum=0.0) == 0
    with pytest.raises(ValueError, match=r"finite number of at least 0, received -0\.1"):
        checks.real("x", -0.1, minimum=0.0)
    with pytest.raises(ValueError, match=r"finite number above 0, received 0"):
        checks.real("x", 0, above=0.0)


def test_instance_of():
    layer = keras.layers.Dense(2)
    assert checks.instance_of("number", layer, keras.layers.Dense, "such as Dense") is layer
    with pytest.raises(TypeError, match=r"number must be a keras Dense \(such as 2\), received 3"):
        checks.instance_of("number", 3, keras.layers.Dense, "such as 2")


def test_a_layer_that_never_became_one_is_named():
    class Forgetful(keras.layers.Layer):
        def __init__(self):
            pass

    with pytest.raises(TypeError, match="Forgetful that was made without Keras"):
        checks.instance_of("network", Forgetful(), keras.layers.Layer, "any")
