"""Batches with as many labelled rows each: which rows they have, and what they are functions of."""

import numpy as np
import pytest

from tfvae.data import at_epoch, load
from tfvae.errors import UserError, UserTypeError

FIELDS = ("x", "label")
OPTIONS = {
    "fields": FIELDS,
    "labels": 30,
    "labelled_per_batch": 8,
    "batch_size": 64,
    "binarisation": "none",
    "seed": 3,
}


def epoch(dataset):
    return list(dataset.as_numpy_iterator())


def numbers(batches, stored):
    """Which rows the batches show: rows of the digits differ from each other."""
    place = {row.tobytes(): i for i, row in enumerate(stored)}
    assert len(place) == len(stored)
    return [np.array([place[row.tobytes()] for row in batch["x"]]) for batch in batches]


@pytest.fixture(scope="module")
def shown():
    """Stored labels, and row numbers by batch, of two epochs."""
    train, _ = load("digits", **OPTIONS)
    columns = train.recipe.columns.read()
    return columns["label"], [numbers(epoch(train), columns["x"]) for _ in range(2)]


def test_each_batch_has_so_many_labelled_rows_and_all_are_full(shown):
    label, epochs = shown
    for batches in epochs:
        assert len(batches) == -(-(1438 - 30) // 56)
        for rows in batches:
            assert len(rows) == 64
            assert (label[rows] >= 0).sum() == 8


def test_an_epoch_shows_the_others_once_and_the_labelled_as_often_as_each_other(shown):
    label, epochs = shown
    for batches in epochs:
        times = np.bincount(np.concatenate(batches), minlength=len(label))
        others, filled = times[label < 0], len(batches) * 56 - (1438 - 30)
        assert others.min() == 1
        assert (others == 2).sum() == filled
        assert np.ptp(times[label >= 0]) <= 1
    assert np.any(np.concatenate(epochs[0]) != np.concatenate(epochs[1]))


def test_the_labelled_go_round_in_a_fresh_order(shown):
    label, epochs = shown
    rows = np.concatenate(epochs[0])
    rounds = rows[label[rows] >= 0][:180].reshape(6, 30)
    assert all(len(set(turn)) == 30 for turn in rounds.tolist())
    assert len({tuple(turn) for turn in rounds.tolist()}) == 6


def test_a_resumed_run_sees_what_it_would_have_seen():
    options = {**OPTIONS, "binarisation": "dynamic"}
    train, _ = load("digits", **options)
    epochs = [epoch(train) for _ in range(3)]
    again, _ = load("digits", **options, first_epoch=1)
    for resumed in (again, at_epoch(again, 2)):
        expected = epochs[1] if resumed is again else epochs[2]
        for left, right in zip(epoch(resumed), expected, strict=True):
            for name in FIELDS:
                np.testing.assert_array_equal(left[name], right[name])


def test_all_batches_have_one_size_and_none_is_left_out():
    for drop in (False, True):
        train, _ = load("digits", **OPTIONS, drop_remainder=drop)
        assert train.cardinality() == 26
        assert train.element_spec["x"].shape[0] == 64


def test_held_out_rows_are_as_ever():
    (_, test), (_, plain) = (
        load("digits", **{**OPTIONS, "labelled_per_batch": n}) for n in (8, None)
    )
    for left, right in zip(epoch(test), epoch(plain), strict=True):
        np.testing.assert_array_equal(left["label"], right["label"])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"labelled_per_batch": 0}, UserError, "labelled_per_batch is 0"),
        ({"labelled_per_batch": 0.5}, UserTypeError, "whole number"),
        ({"labelled_per_batch": 64}, UserError, "batch_size=64: expected fewer"),
        ({"labels": None}, UserError, "1,438 of 1,438 training examples have one"),
        ({"labels": None, "fields": None}, UserError, "no column label is loaded"),
    ],
)
def test_what_makes_no_such_batches_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        load("digits", **{**OPTIONS, **options})
