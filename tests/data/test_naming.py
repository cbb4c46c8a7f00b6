"""One value, a tuple or a dict: which is which field, and what is refused."""

import pytest

from tfvae.data import Field
from tfvae.data.naming import by_name

X, LABEL, MASK = Field((2, 3)), Field.label(10), Field((2, 3), optional=True)
FIELDS = {"x": X, "label": LABEL, "mask": MASK}


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
        by_name(values, FIELDS, "x")
    assert "\n" not in str(error.value)


def test_a_pair_for_one_field_is_taken_for_targets():
    with pytest.raises(ValueError, match=r"learns from 'x' alone, .* received targets"):
        by_name((1, 2), {"x": X}, "x")
