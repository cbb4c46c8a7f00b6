"""`tfvae segment`: masks of images, held against those of annotators, and what it refuses."""

import numpy as np
import pytest

import tfvae
from tests.cli.small_runs import trained
from tfvae import evaluation, uses
from tfvae.runs import segmentation

pytestmark = pytest.mark.usefixtures("without_xla")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("masks") / "run"
    return trained(folder, "digits-segmentation", **{"network.filters": (4, 4)})


def test_masks_of_held_out_images_are_held_against_the_annotators(tfvae_command, run):
    done = tfvae_command("segment", run.path, "--num-samples", "8", "--seed", "3")
    assert done.code == 0, done.err
    arrays = np.load(run.path / "segmented.npz")
    stored = tfvae.data.arrays("segmented_digits").test
    images = stored["image"][::4].astype("float32") / 255
    np.testing.assert_allclose(arrays["image"], images, atol=1e-6)
    annotators = np.moveaxis(stored["x"].reshape(-1, 4, 16, 16, 1), 1, 0) > 127
    np.testing.assert_array_equal(arrays["annotators"], annotators)
    masks = uses.segment(run.read_model(), images, 8, seed=3)
    np.testing.assert_array_equal(arrays["masks"], masks)
    np.testing.assert_allclose(arrays["mean"], masks.mean(axis=0), atol=1e-6)
    distance = evaluation.generalised_energy_distance(masks, annotators).mean()
    matched = evaluation.matched_iou(masks, annotators).mean()
    said, *paths = done.out.splitlines()[-3:]
    assert said == (
        f"squared energy distance {distance:.4f}, matched IoU {matched:.4f}, of 8 masks and 4 "
        "annotators of each of 359 images"
    )
    assert paths == [str(run.path / f"segmented.{kind}") for kind in ("npz", "png")]
    assert (run.path / "segmented.png").stat().st_size > 1000


def test_images_of_a_file_have_no_annotators(tfvae_command, run, tmp_path):
    images = tfvae.data.arrays("segmented_digits").test["image"][:12:4]
    np.save(tmp_path / "images.npy", images)
    output = tmp_path / "out.npz"
    done = tfvae_command("segment", run.path, tmp_path / "images.npy", "--output", output)
    assert done.code == 0, done.err
    arrays = np.load(output)
    assert set(arrays) == {"image", "masks", "mean"}
    masks = uses.segment(run.read_model(), images.astype("float32") / 255)
    np.testing.assert_array_equal(arrays["masks"], masks)
    assert "distance" not in done.out


def test_masks_beside_the_images_of_a_file_are_no_images(tfvae_command, run, tmp_path):
    stored = tfvae.data.arrays("segmented_digits").test
    rows = {name: stored[name][:12] for name in ("x", "image")}
    np.savez(tmp_path / "both.npz", **rows)
    done = tfvae_command("segment", run.path, tmp_path / "both.npz")
    assert done.code == 0, done.err
    arrays = np.load(run.path / "segmented.npz")
    np.testing.assert_allclose(arrays["image"], rows["image"][::4] / 255, atol=1e-6)
    np.testing.assert_array_equal(arrays["annotators"][2], rows["x"][2::4] > 127)
    assert "4 annotators of each of 3 images" in done.out


def test_images_with_more_annotators_than_others_are_not_compared():
    images = np.array([0, 0, 1, 1, 1], "float32").reshape(5, 1, 1, 1) * np.ones((1, 2, 2, 1))
    alone, truth = segmentation._annotated(images, np.ones_like(images))
    np.testing.assert_array_equal(alone, images[[0, 2]])
    assert truth is None


def test_what_is_no_segmentation_is_refused_in_one_line(tfvae_command, run, tmp_path):
    np.save(tmp_path / "wide.npy", np.zeros((3, 8, 6, 1), "float32"))
    plain = trained(tmp_path / "plain")
    for words, said in (
        (("segment", plain.path), "a VAE, is given nothing"),
        (("segment", run.path, tmp_path / "wide.npy"), "(8, 6, 1); expected (16, 16, 1)"),
        (("segment", run.path, tmp_path / "nothing.npy"), "No such file"),
    ):
        done = tfvae_command(*words)
        assert (done.code, len(done.err.splitlines())) == (1, 1), done.err
        assert said in done.err
    done = tfvae_command("segment", run.path, "--num-samples", "0")
    assert (done.code, "num-samples" in done.err) == (2, True)
