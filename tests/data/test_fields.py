"""What an example holds: shapes, intervals, and the words for them."""

import math

import pytest

from tfvae.data.fields import Field, input_shapes

X, LABEL = Field((2, 3)), Field.label(10)
COUNT = Field((2,), interval=(0.0, math.inf), spacing=1.0)
BYTE = Field((2, 3), spacing=1 / 255)
MIXED = Field((3,), interval=None, parts=(COUNT, Field((1,))))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((0,),), r"shape of a field is \(0,\); expected sizes of at least 1"),
        (((), "int64"), "dtype of a field is 'int64'; expected one of float32, int32"),
        (((), "float32", (1.0, 0.0)), r"interval of a field is \(1.0, 0.0\)"),
        (((), "float32", None, False, 1.0), r"spacing of a field is 1.0 in the interval None"),
        (((), "float32", (0.0, 1.0), False, 0.0), "spacing of a field is 0.0"),
        (((2,), "float32", None, False, None, (Field((3,)),)), r"parts of a field of shape \(2,\)"),
    ],
)
def test_bad_fields(arguments, message):
    with pytest.raises(ValueError, match=message):
        Field(*arguments)


def test_a_field_says_what_its_values_are():
    assert Field([4, 4]).shape == (4, 4)
    assert X.values == "values in [0, 1]"
    assert LABEL.values == "whole numbers from 0 to 9"
    assert Field((), interval=None).values == "finite values"
    assert Field((), interval=(0.0, math.inf)).values == "finite values of at least 0"
    assert COUNT.values == "finite whole numbers of at least 0"
    assert BYTE.values == "multiples of 1/255 in [0, 1]"
    assert (
        MIXED.values
        == "finite whole numbers of at least 0 in entries 0:2; values in [0, 1] in entries 2:3"
    )
    assert X.batch == "[N, 2, 3]"


def test_one_field_contains_another():
    real, positive = Field((), interval=None), Field((), interval=(0.0, math.inf))
    assert real.contains(X)
    assert positive.contains(X)
    assert not X.contains(positive)
    assert not positive.contains(real)
    assert LABEL.contains(Field.label(3))
    assert not Field.label(3).contains(LABEL)
    assert not LABEL.contains(X)
    assert X.contains(BYTE)
    assert not BYTE.contains(X)
    assert BYTE.contains(BYTE)
    assert COUNT.contains(LABEL)
    assert not MIXED.contains(MIXED), "the values have to be looked at"


def test_build_is_given_a_shape_or_shapes_by_name():
    assert input_shapes({"x": X}) == (None, 2, 3)
    assert input_shapes({"x": X, "label": LABEL}) == {"x": (None, 2, 3), "label": (None,)}
