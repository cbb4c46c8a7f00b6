"""Methods of segmentation are trained on the same pairs, and measured by the same masks."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from tfvae import data, evaluation, networks, presets, uses
from tfvae.reproduce import segmenting
from tfvae.reproduce.methods import MethodRow
from tfvae.reproduce.segmentation_table import MASKS_OF_EACH, SEGMENTATION_TABLES, SegmentationTask

TASK = SegmentationTask("digits", "Digits", "Small.", "digits-segmentation", (0,), num_images=30)
IMAGES = np.random.default_rng(0).random((3, 8, 8, 1)).astype("float32")


def network(rate):
    keras.utils.set_random_seed(2)
    return segmenting.PixelwiseUNet(networks.UNet([4, 8]), rate, seed=0)


def test_a_plain_network_draws_one_mask_and_dropout_several():
    plain, dropped = (segmenting.masks_of(network(rate), IMAGES) for rate in (0.0, 0.5))
    assert plain.shape == dropped.shape == (MASKS_OF_EACH, 3, 8, 8, 1)
    assert (plain == plain[:1]).all()
    for image in range(3):
        assert len(np.unique(dropped[:, image].reshape(MASKS_OF_EACH, -1), axis=0)) > 4


def test_a_plain_network_learns_the_majority_of_every_pixel():
    """The cross-entropy of pixels is least at their frequencies: two of three masks win."""
    images = np.kron(np.random.default_rng(1).random((20, 4, 4, 1)), np.ones((1, 2, 2, 1)))
    images = np.repeat(images, 3, axis=0)
    bright = (images > 0.5).astype("float32")
    masks = np.where(np.arange(60).reshape(-1, 1, 1, 1) % 3 == 0, 1 - bright, bright)
    train = {"x": masks, "image": images.astype("float32")}
    settings = presets.get("digits-segmentation", epochs=200, learning_rate=1e-2, batch_size=20)
    found = segmenting.masks_of(segmenting.pixelwise(settings, train, 0.0), train["image"])
    assert (found[0] == bright.astype(bool)).mean() > 0.95


def test_draws_of_the_annotators_have_the_distance_of_the_true_law():
    """Of S draws of the true law it is E[d(y, y')] / S in the mean."""
    found = segmenting.run_segmentation(MethodRow(TASK, "annotators"), 0)["annotators"]
    held_out = data.arrays("segmented_digits").test["x"][:120].reshape(30, 4, 16, 16, 1)
    truth = np.moveaxis(held_out, 1, 0) > 127
    spread = 1 - evaluation.intersection_over_union(truth, truth).mean()
    assert found["distance"][0] == pytest.approx(spread / MASKS_OF_EACH, rel=0.2)
    assert 0.8 < found["matched"][0] < 1.0


def test_the_vae_is_measured_by_the_masks_of_segment(monkeypatch):
    model = presets.model("digits-segmentation", seed=3)
    monkeypatch.setattr(segmenting, "trained_model", lambda settings: model)
    found = segmenting.run_segmentation(MethodRow(TASK, "vae"), 3)["vae"]
    held_out = data.arrays("segmented_digits").test
    images = held_out["image"][:120:4].astype("float32") / 255
    truth = np.moveaxis(held_out["x"][:120].reshape(30, 4, 16, 16, 1), 1, 0) > 127
    masks = uses.segment(model, images, MASKS_OF_EACH, seed=3)
    expected = evaluation.generalised_energy_distance(masks, truth).mean()
    assert found["distance"] == [pytest.approx(expected)]


def test_geco_trains_the_same_model_for_its_target(monkeypatch):
    seen = {}

    def trained(settings):
        seen[settings["objective"]] = settings
        return presets.model("digits-segmentation", seed=3)

    monkeypatch.setattr(segmenting, "trained_model", trained)
    task = replace(TASK, num_images=3, target=12.5)
    for method in ("vae", "vae-geco"):
        segmenting.run_segmentation(MethodRow(task, method), 3)
    assert seen["geco"]["objective.target"] == 12.5
    own = {name for name in seen["geco"] if name.startswith("objective")}
    for name in set(seen["geco"]) - own:
        assert seen["geco"][name] == seen["elbo"][name]
    assert task.protocol("vae") == replace(TASK, num_images=3).protocol("vae")
    assert "vae-geco 12.5, 16 masks" in task.protocol("vae-geco")


def test_rows_are_named_once_and_their_presets_known():
    table = SEGMENTATION_TABLES["segmentation"]
    assert len(table.rows) == sum(len(task.methods) for task in table.tasks)
    for task in table.tasks:
        assert ("vae-geco" in task.methods) == (task.target is not None)
        assert isinstance(presets.model(task.preset).decoder.network, networks.UNet)
