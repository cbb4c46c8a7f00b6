"""Data that lack entries or quadrants: what is hidden, where, and that nothing else changes."""

import numpy as np
import pytest

from tfvae.data import arrays, fields_of, load, log_jacobian, mean
from tfvae.data.missing import all_but_a_block, chosen_entries, small_entries
from tfvae.data.quadrants import quadrant_mask
from tfvae.errors import UserError

TABLE = {"missing": 0.5, "batch_size": 1000}


def only(dataset):
    return {name: values.numpy() for name, values in next(iter(dataset)).items()}


def test_half_the_entries_are_away_and_the_rest_is_what_it_was():
    train, test = load("breast_cancer", **TABLE)
    found, whole = only(test), arrays("breast_cancer").test["x"]
    assert set(found) == {"x", "seen"}
    np.testing.assert_array_equal(found["x"], whole * found["seen"])
    assert set(np.unique(found["seen"])) == {0, 1}
    seen = only(train)["seen"]
    # 13,650 entries: 4.5 standard errors of a share of a half.
    assert abs(seen.mean() - 0.5) < 4.5 * 0.5 / np.sqrt(seen.size)
    assert fields_of(train)["seen"].nonempty


def test_the_seed_decides_of_training_rows_alone():
    (first, held_out), (other, again) = (load("wine", seed=s, **TABLE) for s in (0, 1))
    assert np.any(np.sort(only(first)["x"], axis=0) != np.sort(only(other)["x"], axis=0))
    np.testing.assert_array_equal(only(held_out)["seen"], only(again)["seen"])


def test_something_is_seen_of_every_row():
    assert np.all(chosen_entries((500, 3), 0.01, seed=0).sum(axis=1) >= 1)
    shares = chosen_entries((4000, 3), 0.01, seed=0).mean(axis=0)
    np.testing.assert_allclose(shares, 1 / 3, atol=0.04)  # the one that stays is any of them


@pytest.mark.parametrize(("share", "sides"), [(0.25, (4, 3)), (1e-6, (1, 1)), (0.999, (7, 5))])
def test_a_block_is_one_rectangle_at_any_place(share, sides):
    hidden = ~all_but_a_block((2000, 8, 6, 2), share, seed=1)
    assert np.all(hidden[..., 0] == hidden[..., 1])
    hidden = hidden[..., 0]
    rows, columns = hidden.any(axis=2), hidden.any(axis=1)
    np.testing.assert_array_equal(hidden, rows[:, :, None] & columns[:, None, :])
    for along, size in zip((rows, columns), sides, strict=True):
        first, places = along.argmax(axis=1), along.shape[1] - size + 1
        place = np.arange(along.shape[1])
        inside = (place >= first[:, None]) & (place < first[:, None] + size)
        np.testing.assert_array_equal(along, inside)
        # 4.5 standard errors of a share of 2000.
        shares = np.bincount(first, minlength=places) / 2000
        np.testing.assert_allclose(shares, 1 / places, atol=4.5 * np.sqrt(0.25 / 2000))


def test_images_lose_a_block_each():
    options = {"missing": 0.25, "missing_pattern": "block", "batch_size": 2000}
    train, test = load("digits", binarisation="none", **options)
    for found in (only(train), only(test)):
        assert np.all((found["seen"] == 0).sum(axis=(1, 2, 3)) == 16)
        assert len(np.unique(found["seen"], axis=0)) == 25  # 5 x 5 places of 4 x 4 pixels
        assert np.all(found["x"][found["seen"] == 0] == 0)
    np.testing.assert_allclose(found["x"], arrays("digits").test["x"] * found["seen"])


def test_what_is_large_is_missing_of_the_first_columns():
    train, test = load("wine", missing_pattern="large", **TABLE)
    whole = arrays("wine")
    for dataset, x in ((train, whole.train["x"]), (test, whole.test["x"])):
        order = np.lexsort(x.T[6:])
        found = only(dataset)
        found = {name: values[np.lexsort(found["x"].T[6:])] for name, values in found.items()}
        np.testing.assert_array_equal(found["seen"][:, 6:], 1)
        right = x[order, :6] <= x[:, :6].mean(axis=0)
        np.testing.assert_array_equal(found["seen"][:, :6], right)
        np.testing.assert_array_equal(found["x"][:, :6], np.where(right, x[order, :6], 0))


def test_a_column_at_least_loses_what_is_large_and_one_keeps_it():
    x = np.random.default_rng(0).normal(size=(50, 3))
    for share, columns in ((1e-6, 1), (0.999, 2)):
        np.testing.assert_array_equal(
            (~small_entries(x, share)).any(axis=0), np.arange(3) < columns
        )


def test_what_is_seen_decides_on_means_and_spreads():
    train, test = load("wine", standardise=True, **TABLE)
    raw, raw_test = (only(part) for part in load("wine", **TABLE))
    found, held_out = only(train), only(test)
    seen = found["seen"] > 0
    for column in range(13):
        values = found["x"][seen[:, column], column]
        assert abs(values.mean()) < 1e-5
        assert values.std() == pytest.approx(1.0, rel=1e-5)
    assert np.all(found["x"][~seen] == 0)
    columns = [raw["x"][raw["seen"][:, i] > 0, i].astype("float64") for i in range(13)]
    scales = np.array([column.std() for column in columns])
    expected = -np.mean(held_out["seen"] @ np.log(scales))
    assert log_jacobian(test) == pytest.approx(expected, rel=1e-4)
    right = (raw_test["x"] - [c.mean() for c in columns]) / scales * raw_test["seen"]
    np.testing.assert_allclose(held_out["x"], right, atol=1e-3)


def test_the_mean_is_that_of_what_is_seen():
    train = load("wine", **TABLE)[0]
    raw = only(train)
    expected = raw["x"].sum(axis=0) / raw["seen"].sum(axis=0)
    np.testing.assert_allclose(mean(train), expected, rtol=1e-5)


@pytest.mark.parametrize("num", [1, 2, 3])
def test_visible_and_counted_are_of_the_bits_of_x(num):
    """Bits are drawn anew in each epoch; the parts have to be of the very same."""
    train, test = load("digits", quadrants=num, batch_size=64)
    seen = quadrant_mask((8, 8, 1), num)
    assert seen.sum() == num * 16
    for dataset in (train, train, test):
        for batch in dataset.take(2):
            x, visible, counted = (batch[n].numpy() for n in ("x", "visible", "counted"))
            assert set(np.unique(x)) == {0, 1}
            np.testing.assert_array_equal(visible, np.where(seen > 0, x, 0.5))
            np.testing.assert_array_equal(counted, np.broadcast_to(1 - seen, x.shape))
    assert set(fields_of(train)) == set(train.element_spec) == {"x", "visible", "counted"}


def test_the_bits_are_those_of_whole_images():
    first, second = (next(iter(load("digits", **o)[0])) for o in ({}, {"quadrants": 1}))
    np.testing.assert_array_equal(first, second["x"])


@pytest.mark.parametrize("options", [{}, {"binarisation": "none"}, {"dequantise": 17}])
@pytest.mark.parametrize("factor", [2, 4])
def test_low_is_the_means_of_blocks_of_the_x_beside_it(factor, options):
    """Bits and noise are drawn anew in each epoch; the small image has to be of the very same."""
    train, test = load("digits", low_resolution=factor, batch_size=64, **options)
    for dataset in (train, train, test):
        for batch in dataset.take(2):
            x, low = batch["x"].numpy(), batch["low"].numpy()
            blocks = x.reshape(-1, 8 // factor, factor, 8 // factor, factor, 1)
            np.testing.assert_allclose(low, blocks.mean(axis=(2, 4)), rtol=1e-5, atol=1e-7)
    field = fields_of(train)["low"]
    assert (field.shape, field.of_pixels) == ((8 // factor, 8 // factor, 1), True)


def test_low_may_be_left_out_and_labels_stand_beside_it():
    train, _ = load("digits", low_resolution=2, fields=("x", "label", "low"))
    assert set(next(iter(train))) == {"x", "label", "low"}
    train, _ = load("digits", low_resolution=2, fields=("x", "label"))
    assert set(next(iter(train))) == {"x", "label"}


def test_which_quadrants_are_seen():
    corners = [quadrant_mask((2, 2, 1), num)[..., 0].tolist() for num in (1, 2, 3)]
    assert corners == [[[0, 0], [1, 0]], [[1, 0], [1, 0]], [[1, 0], [1, 1]]]


def test_columns_can_be_chosen_and_labels_stand_beside_them():
    train, _ = load("digits", quadrants=1, fields=("x", "label", "visible"))
    assert set(next(iter(train))) == {"x", "label", "visible"}


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("wine", {"missing": 0.0}, "above 0"),
        ("wine", {"missing": 1.0}, "share below 1"),
        ("wine", {"missing": 0.5, "fields": ("x",)}, "Add it to fields"),
        ("wine", {"missing": 0.5, "missing_pattern": "some"}, "one of entries, block, large"),
        ("wine", {"missing": 0.5, "missing_pattern": "block"}, "choose 'entries' or 'large'"),
        ("wine", {"missing_pattern": "large"}, "give missing, too"),
        ("wine", {"fields": ("x", "seen")}, "missing=0.5 makes one"),
        ("digits", {"fields": ("x", "visible")}, "quadrants=1 makes one"),
        ("digits", {"missing": 0.5, "quadrants": 1}, "give one of them"),
        ("digits", {"missing": 0.5, "dequantise": 17}, "leave dequantise out"),
        ("digits", {"quadrants": 4}, "at most 3"),
        ("digits", {"low_resolution": 1}, "low_resolution must be an integer of at least 2"),
        ("digits", {"low_resolution": 3}, "does not divide images of 8 x 8.* one of 2, 4, 8"),
        ("digits", {"low_resolution": 2, "quadrants": 1}, "quadrants and low_resolution both"),
        ("digits", {"low_resolution": 2, "fields": ("label", "low")}, "no column x is loaded"),
        ("digits", {"fields": ("x", "low")}, "low_resolution=2 makes one"),
        ("wine", {"low_resolution": 2}, "images of pixels"),
        ("wine", {"quadrants": 1}, "images of pixels"),
        ("digits", {"quadrants": 1, "fields": ("label", "visible")}, "no column x is loaded"),
    ],
)
def test_what_can_not_be_hidden_is_refused(name, options, message):
    with pytest.raises(UserError, match=message):
        load(name, **options)
