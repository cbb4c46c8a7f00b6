"""Pictures of codes show what the functions that they are made of return."""

import numpy as np
import pytest

from tfvae import presets
from tfvae.errors import UserError
from tfvae.evaluation.latents import latent_codes
from tfvae.uses import (
    Attribute,
    analogy_pictures,
    attribute_changes,
    class_traversals,
    latent_pictures,
    nearest_pictures,
    path_pictures,
    with_attribute,
)


@pytest.fixture
def shown(monkeypatch):
    """What was tiled: (images, columns, names of rows) of each picture."""
    tiled = []
    original = latent_pictures.show

    def show(images, columns, title, row_names=()):
        tiled.append((images, columns, list(row_names)))
        return original(images, columns, title, row_names)

    monkeypatch.setattr(latent_pictures, "show", show)
    return tiled


@pytest.fixture(scope="module")
def model():
    return presets.model("digits", latent_size=3, units=(8,))


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((4, 8, 8, 1)).astype("float32")


def test_attributes_are_drawn_beside_each_image(model, images, shown, tmp_path):
    attribute = Attribute(np.array([1.0, 0.0, -1.0]), np.zeros(3))
    attribute_changes(model, images, attribute, (0.0, 2.0), save=tmp_path / "a.png")
    ((tiled, columns, _),) = shown
    assert columns == 3
    rows = tiled.reshape(4, 3, 8, 8, 1)
    np.testing.assert_array_equal(rows[:, 0], images)
    expected = with_attribute(model, images, attribute, (0.0, 2.0))
    np.testing.assert_allclose(rows[:, 1:], np.moveaxis(expected, 0, 1), atol=1e-6)
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_analogies_stand_below_what_they_are_made_of(model, images, shown, tmp_path):
    """z_other + z_end - z_start, decoded."""
    parts = images[:2], images[2:], images[1:3]
    analogy_pictures(model, *parts, save=tmp_path / "a.png")
    ((tiled, columns, names),) = shown
    assert (columns, len(names)) == (2, 4)
    rows = tiled.reshape(4, 2, 8, 8, 1)
    np.testing.assert_array_equal(rows[:3], parts)
    start, end, other = (model.encode(part) for part in parts)
    np.testing.assert_allclose(rows[3], model.decode(other + end - start, {}), atol=1e-5)
    assert (tmp_path / "a.png").stat().st_size > 1000
    with pytest.raises(UserError, match=r"analogy_pictures\(\) draws images"):
        analogy_pictures(model, images[0], images[1], images[2])


def test_ways_lead_from_one_reconstruction_to_the_other(model, images, shown):
    path_pictures(model, images[0], images[1], steps=4)
    ((tiled, columns, names),) = shown
    assert columns == 4
    assert [name.partition(",")[0] for name in names] == ["straight", "slerp", "geodesic"]
    rows = tiled.reshape(3, 4, 8, 8, 1)
    codes = latent_codes(model, images[:2])
    ends = model.decode(codes.astype("float32"), {}).numpy()
    for row in rows:
        np.testing.assert_allclose(row[[0, -1]], ends, atol=1e-5)
    lengths = [float(name.partition(", ")[2]) for name in names]
    assert lengths[2] <= lengths[0]  # a geodesic is never longer than the line it begins with


def test_samples_stand_above_their_neighbours(images, shown):
    nearest_pictures(images[2:] + 0.01, images, count=2)
    ((tiled, columns, names),) = shown
    assert (columns, names) == (2, ["sample", "nearest 1", "nearest 2"])
    np.testing.assert_array_equal(tiled[2:4], images[2:])


def test_a_dimension_is_drawn_in_each_class(shown):
    model = presets.model("digits-conditional", latent_size=3, units=(8,))
    class_traversals(model, dimension=1, steps=3)
    ((tiled, columns, names),) = shown
    assert (len(tiled), columns, names[:2]) == (30, 3, ["label 0", "label 1"])
    rows = tiled.reshape(10, 3, 8, 8, 1)
    assert np.abs(rows[:, 0] - rows[:, 2]).max(axis=(1, 2, 3)).min() > 1e-4  # along each row
    assert np.abs(rows[0] - rows[1]).max() > 1e-4


def test_bad_input_is_refused(model, images):
    with pytest.raises(UserError, match="one condition is a label and whose z is one vector"):
        class_traversals(model)
    conditional = presets.model("digits-conditional", latent_size=3, units=(8,))
    with pytest.raises(UserError, match="dimension is 3; the model's z has 0 to 2"):
        class_traversals(conditional, dimension=3)
    with pytest.raises(UserError, match=r"draws images \[N, H, W, C\]; received shape \(3, 4\)"):
        nearest_pictures(np.zeros((3, 4)), np.zeros((3, 4)))
