"""Which labels are left, and that nothing else changes."""

import numpy as np
import pytest

from tfvae.data import Field, arrays, fields_of, load
from tfvae.errors import UserError, UserTypeError

FIELDS = ("x", "label")


def columns(dataset):
    return dataset.recipe.columns.read()


def test_so_many_labels_are_left_as_many_of_each_class():
    train, test = load("digits", fields=FIELDS, labels=53, seed=1)
    found, full = columns(train), arrays("digits")
    known = found["label"] >= 0
    assert known.sum() == 53
    assert sorted(np.bincount(found["label"][known])) == 7 * [5] + 3 * [6]
    np.testing.assert_array_equal(found["label"][known], full.train["label"][known])
    np.testing.assert_array_equal(found["x"], full.train["x"])
    np.testing.assert_array_equal(columns(test)["label"], full.test["label"])
    assert fields_of(train)["label"] == Field.label(10, holes=True)
    assert fields_of(test)["label"] == Field.label(10)


def test_the_seed_chooses_them():
    first, again, other = (
        columns(load("digits", fields=FIELDS, labels=50, seed=s)[0])["label"] for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"labels": 9}, UserError, "10 classes; expected at least one label of each"),
        ({"labels": 0}, UserError, "labels is 0"),
        ({"labels": 10.0}, UserTypeError, "whole number"),
        ({"labels": 100_000}, UserError, "training examples of it. Keep fewer"),
        (
            {"labels": 50, "fields": None},
            UserError,
            r"no column label.*Load one, fields=\(\"x\", \"label\"\)\.",
        ),
    ],
)
def test_counts_that_can_not_be_left_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        load("digits", **{"fields": FIELDS, **options})


def test_a_file_s_label_of_minus_one_is_a_hole(tmp_path):
    x = np.random.default_rng(0).random((20, 4)).astype("float32")
    label = np.arange(20) % 3 - 1
    np.savez(tmp_path / "data.npz", x=x, label=label, other=label)
    train, _ = load(tmp_path / "data.npz", fields=("x", "label", "other"))
    assert fields_of(train)["label"] == Field.label(2, holes=True)
    assert fields_of(train)["other"].interval is None


def test_fields_say_what_holes_are():
    field = Field.label(10, holes=True)
    assert field.values == "whole numbers from 0 to 9, or -1 for unknown"
    assert field.ends == (-1, 9)
    assert field.classes == range(10)
    assert field.contains(Field.label(10))
    assert not Field.label(10).contains(field)
    assert Field.from_config(field.get_config()) == field
    for other in ({"shape": (2,)}, {"interval": (1, 3)}, {"dtype": "float32"}):
        with pytest.raises(UserError, match="A field with holes"):
            Field(**{"shape": (), "dtype": "int32", "interval": (0, 3), "holes": True, **other})
