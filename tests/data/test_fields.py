"""What an example holds: names, shapes, intervals, and the words for them."""

import math

import pytest

from tfvae.data.fields import Field, by_name, input_shapes

X, LABEL, MASK = Field((2, 3)), Field.label(10), Field((2, 3), optional=True)
FIELDS = {"x": X, "label": LABEL, "mask": MASK}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((0,),), r"shape of a field is \(0,\); expected sizes of at least 1"),
        (((), "int64"), "dtype of a field is 'int64'; expected one of float32, int32"),
        (((), "float32", (1.0, 0.0)), r"interval of a field is \(1.0, 0.0\)"),
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


def test_build_is_given_a_shape_or_shapes_by_name():
    assert input_shapes({"x": X}) == (None, 2, 3)
    assert input_shapes({"x": X, "label": LABEL}) == {"x": (None, 2, 3), "label": (None,)}


@pytest.mark.parametrize(
    "values", [{"label": 2, "x": 1}, (1, 2), [1, 2, None], ({"x": 1, "label": 2},)]
)
def test_forms_of_two_fields(values):
    assert list(by_name(values, FIELDS, "x").items()) == [("x", 1), ("label", 2)]


def test_a_bare_value_is_the_field_that_is_required():
    fields = {"mask": MASK, "x": X}
    for values in (1, (1,), (1, None), {"x": 1}, (None, 1)):
        assert by_name(values, fields, "x") == {"x": 1}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (1, "x lacks the field 'label'; expected 'x', 'label' and 'mask' .optional., as a dict"),
        ({"label": 2}, "x lacks the field 'x'"),
        ({"x": None, "label": 2}, "x lacks the field 'x'"),
        ({"x": 1, "lable": 2}, "x has the field 'lable', .* Did you mean 'label'"),
        ({"x": 1, "label": 2, "y": 3}, "x has the field 'y', which .* leave out the rest"),
        ((1, 2, 3, 4), "x has 4 parts and the model has the fields .* part number 4 is no field"),
    ],
)
def test_names_that_are_missing_misspelt_or_surplus(values, message):
    with pytest.raises(ValueError, match=message) as error:
        by_name(values, {name: FIELDS[name] for name in ("x", "label", "mask")}, "x")
    assert "\n" not in str(error.value)


def test_a_pair_for_one_field_is_taken_for_targets():
    with pytest.raises(ValueError, match=r"learns from 'x' alone, .* received targets"):
        by_name((1, 2), {"x": X}, "x")
