"""Ways between codes, where geodesics and lengths are known, and against SciPy's great arcs."""

import math

import numpy as np
import pytest
import scipy.spatial

from tests.uses.codes import Cube, Polar, with_decoder
from tfvae import presets
from tfvae.errors import UserError
from tfvae.uses import code_paths, path_lengths


@pytest.fixture(scope="module")
def polar():
    return with_decoder(Polar())


def test_a_geodesic_in_polar_coordinates_is_the_chord(polar):
    """From (1, 0) to (1, 2) the plane's shortest way is the chord: r cos(angle - 1) = cos 1."""
    way = code_paths(polar, [[1.0, 0.0]], [[1.0, 2.0]], 21, "geodesic")
    r, angle = way[0].T
    np.testing.assert_allclose(r * np.cos(angle - 1.0), math.cos(1.0), atol=2e-3)
    chord = 2 * math.sin(1.0)
    assert path_lengths(polar, way)[0] == pytest.approx(chord, abs=1e-3)
    points = np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)
    pieces = np.linalg.norm(np.diff(points, axis=0), axis=1)
    np.testing.assert_allclose(pieces, chord / 20, rtol=0.03)  # of constant speed
    np.testing.assert_array_equal(way[0, [0, -1]], [[1.0, 0.0], [1.0, 2.0]])


def test_a_straight_line_of_angles_is_an_arc(polar):
    way = code_paths(polar, [[1.0, 0.0], [3.0, 1.0]], [[1.0, 2.0], [3.0, 2.0]], 400)
    np.testing.assert_allclose(path_lengths(polar, way), [2.0, 3.0], rtol=1e-4)


def test_two_points_have_nothing_between_them(polar):
    way = code_paths(polar, [[1.0, 0.0]], [[1.0, 2.0]], 2, "geodesic")
    np.testing.assert_array_equal(way[0], [[1.0, 0.0], [1.0, 2.0]])


def test_steps_are_equally_far_as_the_decoder_sees_them():
    cubes = with_decoder(Cube(), 1)
    way = code_paths(cubes, [[0.0]], [[2.0]], 5, spacing="decoded")
    np.testing.assert_allclose(way[0, :, 0] ** 3, [0.0, 2.0, 4.0, 6.0, 8.0], atol=0.02)
    even = code_paths(cubes, [[0.0]], [[2.0]], 5)
    np.testing.assert_allclose(even[0, :, 0], [0.0, 0.5, 1.0, 1.5, 2.0])


def test_great_arcs_are_those_of_scipy():
    model = presets.model("digits", latent_size=5, units=(4,))
    ends = np.random.default_rng(0).normal(size=(2, 3, 5))
    ends /= np.linalg.norm(ends, axis=2, keepdims=True)
    found = code_paths(model, *ends, steps=7, kind="slerp")
    for way, start, end in zip(found, *ends, strict=True):
        expected = scipy.spatial.geometric_slerp(start, end, np.linspace(0, 1, 7))
        np.testing.assert_allclose(way, expected, atol=1e-12)


def test_great_arcs_of_equal_directions_or_from_zero_are_straight(polar):
    found = code_paths(polar, [[1.0, 1.0], [0.0, 0.0]], [[3.0, 3.0], [4.0, 2.0]], 3, "slerp")
    np.testing.assert_allclose(found[:, 1], [[2.0, 2.0], [2.0, 1.0]])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "curved"}, "kind is 'curved'; expected one of straight, slerp, geodesic"),
        ({"spacing": "even"}, "spacing is 'even'"),
        ({"steps": 1}, "steps"),
        ({"starts": [[1.0, 2.0, 3.0]]}, r"starts has shape \(1, 3\); expected codes \[N, 2\]"),
        ({"starts": [[1.0, 2.0]] * 2}, "starts has 2 codes and ends 1"),
        ({"ends": [[np.nan, 0.0]]}, "ends holds NaN"),
        ({"ends": [[-1.0, -1.0]], "kind": "slerp"}, "slerp between opposite codes"),
    ],
)
def test_bad_input_is_refused(polar, change, said):
    given = {"starts": [[1.0, 1.0]], "ends": [[1.0, 2.0]], "steps": 3, **change}
    with pytest.raises(UserError, match=said):
        code_paths(polar, **given)


def test_models_that_are_given_more_are_refused():
    model = presets.model("digits-conditional", latent_size=2, units=(4,))
    with pytest.raises(UserError, match="ConditionalVAE is given label"):
        code_paths(model, [[0.0, 0.0]], [[1.0, 1.0]])
    with pytest.raises(UserError, match=r"paths have shape \(1, 1, 2\)"):
        path_lengths(presets.model("digits", latent_size=2, units=(4,)), np.zeros((1, 1, 2)))
