"""A model that is given a label draws what that label says."""

import numpy as np
import pytest

from tests.extension.cases import BATCH, CASES, CLASSES, IMAGES, LABEL, SEED

CASE = next(case for case in CASES if case.name == "labelled")


@pytest.fixture(scope="module")
def model():
    model = CASE.built()
    model.fit(CASE.inputs, batch_size=BATCH, epochs=30, verbose=0)
    return model


def test_samples_follow_the_label(model):
    """Each class is a pattern of its own, which training has found."""
    drawn = model.sample(CLASSES, seed=SEED, label=np.arange(CLASSES)).numpy()
    means = np.stack([IMAGES[label == LABEL].mean(axis=0) for label in range(CLASSES)])
    distances = np.abs(drawn[:, None] - means[None]).mean(axis=(2, 3, 4))
    np.testing.assert_array_equal(distances.argmin(axis=1), np.arange(CLASSES))


def test_one_label_is_that_of_all_samples(model):
    one = model.sample(4, seed=SEED, label=2)
    each = model.sample(4, seed=SEED, label=[2, 2, 2, 2])
    np.testing.assert_array_equal(one, each)


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({}, "needs label="),
        ({"lable": 1}, "'lable', which is no condition.*Did you mean 'label'"),
        ({"label": [0, 1]}, "received label of shape"),
        ({"label": CLASSES}, "label"),
        ({"label": -1}, "label"),
    ],
)
def test_conditions_that_do_not_fit_are_refused(model, conditions, message):
    with pytest.raises(ValueError, match=message):
        model.sample(3, **conditions)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"x": IMAGES}, "lacks the field 'label'"),
        ({"x": IMAGES, "lable": LABEL}, "'lable'.*Did you mean 'label'"),
        ({"x": IMAGES, "label": LABEL[:-1]}, "label"),
        ({"x": IMAGES, "label": LABEL + CLASSES}, "label"),
        (IMAGES, "label"),
    ],
)
def test_data_that_do_not_fit_are_refused(model, data, message):
    with pytest.raises(ValueError, match=message):
        model.fit(data, verbose=0)
