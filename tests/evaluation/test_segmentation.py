"""Distances of sets of masks: by hand, by brute force, and against scikit-learn's Jaccard score."""

import itertools

import numpy as np
import pytest
from sklearn.metrics import jaccard_score

from tfvae import evaluation

RNG = np.random.default_rng(3)
SAMPLES, TRUTH = RNG.random((4, 5, 3, 3, 1)) > 0.5, RNG.random((2, 5, 3, 3, 1)) > 0.6


def jaccard(a, b):
    return jaccard_score(a.ravel(), b.ravel(), zero_division=1.0)


def test_iou_is_scikit_learns():
    found = evaluation.intersection_over_union(SAMPLES, TRUTH)
    assert found.shape == (5, 4, 2)
    for n, s, m in np.ndindex(found.shape):
        assert found[n, s, m] == pytest.approx(jaccard(SAMPLES[s, n], TRUTH[m, n]))


def test_two_empty_masks_are_alike_and_an_empty_one_is_like_no_other():
    empty, full = np.zeros((1, 1, 4)), np.ones((1, 1, 4))
    assert evaluation.intersection_over_union(empty, empty).item() == 1
    assert evaluation.intersection_over_union(empty, full).item() == 0
    assert evaluation.generalised_energy_distance(empty, empty).item() == 0


def test_energy_distance_by_hand():
    """Half of the draws right, half disjoint from the one true mask: 2 / 2 - 2 / 4."""
    samples = np.array([[1, 0], [0, 1]])[:, np.newaxis]
    assert evaluation.generalised_energy_distance(samples, samples[:1]) == pytest.approx(0.5)
    assert evaluation.generalised_energy_distance(samples, samples) == pytest.approx(0)


def test_energy_distance_by_brute_force():
    def mean(first, second, n):
        return np.mean([1 - jaccard(a[n], b[n]) for a, b in itertools.product(first, second)])

    expected = [
        2 * mean(SAMPLES, TRUTH, n) - mean(SAMPLES, SAMPLES, n) - mean(TRUTH, TRUTH, n)
        for n in range(5)
    ]
    found = evaluation.generalised_energy_distance(SAMPLES, TRUTH)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert np.all(found > 0)


def test_draws_of_the_true_law_have_its_spread_over_their_number():
    truth = RNG.random((4, 1, 16)) > 0.5
    own = 1 - evaluation.intersection_over_union(truth, truth).mean()
    drawn = truth[RNG.integers(0, 4, (8, 4000)), 0].astype(bool)
    found = evaluation.generalised_energy_distance(drawn, np.repeat(truth, 4000, axis=1))
    error = found.std() / np.sqrt(4000)
    assert found.mean() == pytest.approx(own / 8, abs=4 * error)


def test_matching_by_brute_force():
    found = evaluation.matched_iou(SAMPLES, TRUTH)
    for n in range(5):
        best = max(
            np.mean([jaccard(SAMPLES[s, n], TRUTH[m % 2, n]) for s, m in enumerate(order)])
            for order in itertools.permutations(range(4))
        )
        assert found[n] == pytest.approx(best)


@pytest.mark.parametrize(
    ("samples", "truth", "said"),
    [
        (np.zeros((2, 3)), TRUTH, "first has the shape"),
        (SAMPLES, np.zeros((0, 5, 3, 3, 1)), "second has the shape"),
        (SAMPLES, TRUTH[:, :4], "of the same N images"),
        (SAMPLES * 0.5, TRUTH, "p >= 0.5"),
        (SAMPLES * 255, TRUTH, "x > 127"),
    ],
)
def test_bad_masks_are_refused(samples, truth, said):
    for distance in (evaluation.generalised_energy_distance, evaluation.matched_iou):
        with pytest.raises(ValueError, match=said):
            distance(samples, truth)


def test_sets_too_large_to_match_are_refused():
    with pytest.raises(ValueError, match="Take a multiple of 101 samples"):
        evaluation.matched_iou(np.ones((103, 1, 1)), np.ones((101, 1, 1)))
