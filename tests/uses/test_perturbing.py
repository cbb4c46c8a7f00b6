"""What is replaced, how often, and by what."""

import numpy as np
import pytest

from tfvae.uses import perturbed


def test_as_many_entries_are_replaced_as_asked_for_by_the_levels():
    x = np.full((400, 50), 5.0, "float32")
    found = perturbed(x, 0.3, levels=(1.0, 2.0), seed=1)
    assert found.dtype == x.dtype
    rate = np.mean(found != 5)
    assert rate == pytest.approx(0.3, abs=4.5 * np.sqrt(0.21 / x.size))
    share = np.mean(found[found != 5] == 1)
    assert share == pytest.approx(0.5, abs=4.5 * np.sqrt(0.25 / (rate * x.size)))
    np.testing.assert_array_equal(found, perturbed(x, 0.3, levels=(1.0, 2.0), seed=1))


def test_without_levels_an_entry_keeps_to_its_column():
    x = np.arange(10.0)[None] * 100 + np.arange(50.0)[:, None]
    found = perturbed(x, 0.9)
    assert np.mean(found != x) > 0.7
    np.testing.assert_array_equal(found // 100, x // 100)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rate": 1.0}, "rate must be above 0 and below 1"),
        ({"levels": ()}, "levels is empty"),
        ({"levels": ("a",)}, r"levels\[0\] must be a finite number"),
    ],
)
def test_bad_input_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        perturbed(np.zeros((2, 2)), **change)
