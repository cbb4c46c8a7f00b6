"""`tfvae denoise` and `tfvae super-resolve`: what they write and say, and what they refuse."""

import re
import sys

import numpy as np
import pytest

import tfvae
from tests.cli.small_runs import trained
from tfvae import evaluation, presets, uses
from tfvae.evaluation import image_filters

pytestmark = pytest.mark.usefixtures("without_xla")


@pytest.fixture(scope="module")
def noisy(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("noisy") / "run", "digits-denoising")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("small") / "run", "digits-super-resolution")


def held_out(**options):
    batches = tfvae.data.load("digits", binarisation="none", **options)[1].as_numpy_iterator()
    return np.concatenate([b["x"] if isinstance(b, dict) else b for b in batches])


def test_denoised_examples_are_written_drawn_and_measured(tfvae_command, noisy):
    done = tfvae_command("denoise", noisy.path, "--seed", "3")
    assert done.code == 0, done.err
    arrays = np.load(noisy.path / "denoised.npz")
    model = noisy.read_model()
    np.testing.assert_array_equal(arrays["clean"], held_out())
    corrupted = uses.corrupted_examples(model.corruption, held_out(), seed=3)
    np.testing.assert_array_equal(arrays["corrupted"], corrupted)
    np.testing.assert_allclose(arrays["denoised"], uses.denoise(model, corrupted), atol=1e-5)
    said = done.out.splitlines()
    for name in ("corrupted", "denoised"):
        psnr = evaluation.pooled_peak_signal_to_noise(arrays["clean"], arrays[name])
        ssim = evaluation.structural_similarity(arrays["clean"], arrays[name]).mean()
        expected = f"{name:16} PSNR {psnr:.2f} dB, SSIM {ssim:.4f}"
        assert expected in said
    clean = np.concatenate(
        list(tfvae.data.load("digits", binarisation="none")[0].take(1).as_numpy_iterator())
    )[:100]
    fitted = image_filters.fitted_filters(
        clean, uses.corrupted_examples(model.corruption, clean, seed=3)
    )
    psnr = evaluation.pooled_peak_signal_to_noise(held_out(), fitted["median"](corrupted))
    assert any(line.startswith(f"{'median':16} PSNR {psnr:.2f} dB") for line in said)
    assert [line.split()[0] for line in said[-7:-3]] == [
        "corrupted",
        "denoised",
        "median",
        "non-local",
    ]
    assert said[-3:] == [
        "of 359 examples",
        str(noisy.path / "denoised.npz"),
        str(noisy.path / "denoised.png"),
    ]
    assert (noisy.path / "denoised.png").stat().st_size > 1000


def test_draws_are_averaged_and_files_go_where_they_are_told(tfvae_command, noisy, tmp_path):
    target = tmp_path / "out.npz"
    np.save(tmp_path / "some.npy", held_out()[:20])
    words = ("--num-samples", "4", "--seed", "2", "--output", target)
    done = tfvae_command("denoise", noisy.path, tmp_path / "some.npy", *words)
    assert done.code == 0, done.err
    arrays = np.load(target)
    expected = uses.denoise(noisy.read_model(), arrays["corrupted"], num_samples=4, seed=2)
    np.testing.assert_allclose(arrays["denoised"], expected, atol=1e-5)
    assert "of 20 examples" in done.out
    assert (tmp_path / "out.png").is_file()


def test_examples_that_are_noisy_already_are_left_as_they_are(tfvae_command, noisy, tmp_path):
    x = np.random.default_rng(0).normal(0.3, 0.5, (12, 8, 8, 1)).astype("float32")
    np.save(tmp_path / "noisy.npy", x)
    done = tfvae_command("denoise", noisy.path, tmp_path / "noisy.npy", "--noisy")
    assert done.code == 0, done.err
    arrays = np.load(noisy.path / "denoised.npz")
    assert set(arrays) == {"corrupted", "denoised"}
    np.testing.assert_array_equal(arrays["corrupted"], x)
    assert "PSNR" not in done.out


def test_without_scikit_image_it_says_so_and_goes_on(tfvae_command, noisy, monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.filters", None)
    done = tfvae_command("denoise", noisy.path)
    assert done.code == 0, done.err
    assert "Note: no filters beside the model." in done.out
    assert "pip install 'tfvae[images]'" in done.out
    assert "median  " not in done.out
    assert "denoised         PSNR" in done.out


def test_a_table_is_denoised_too(tfvae_command, tmp_path):
    changes = {"corruption": "masking", "standardise": True, "likelihood": "normal"}
    run = trained(tmp_path / "run", dataset="wine", binarisation=None, **changes)
    done = tfvae_command("denoise", run.path)
    assert done.code == 0, done.err
    assert re.search(r"denoised +root mean squared error \d", done.out)
    assert not (run.path / "denoised.png").exists()
    assert np.load(run.path / "denoised.npz")["denoised"].shape == (36, 13)


def test_larger_images_are_written_drawn_and_measured(tfvae_command, small):
    done = tfvae_command("super-resolve", small.path, "--num-samples", "3", "--seed", "4")
    assert done.code == 0, done.err
    arrays = np.load(small.path / "super-resolved.npz")
    np.testing.assert_array_equal(arrays["x"], held_out(low_resolution=2))
    found = uses.super_resolve(small.read_model(), arrays["low"], 3, seed=4)
    for name, values in found._asdict().items():
        np.testing.assert_allclose(arrays[name], values, atol=1e-5)
    said = done.out.splitlines()
    images = {
        "bicubic": image_filters.bicubic(arrays["low"], 2),
        "mean": found.mean,
        "one sample": found.samples[:, 0],
    }
    for name, values in images.items():
        psnr = evaluation.pooled_peak_signal_to_noise(arrays["x"], values)
        assert any(line.startswith(f"{name:16} PSNR {psnr:.2f} dB, SSIM") for line in said), name
    assert any(f"consistency {found.consistency.mean():.4f}: " in line for line in said)
    assert said[-2:] == [str(small.path / f"super-resolved.{kind}") for kind in ("npz", "png")]
    assert (small.path / "super-resolved.png").stat().st_size > 1000


def test_small_and_large_images_of_files_are_told_apart(tfvae_command, small, tmp_path):
    large = held_out()[:5]
    low = large.reshape(5, 4, 2, 4, 2, 1).mean(axis=(2, 4))
    answers = []
    for name, images in (("large", large), ("low", low)):
        np.save(tmp_path / f"{name}.npy", images.astype("float32"))
        target = tmp_path / f"of_{name}.npz"
        done = tfvae_command(
            "super-resolve", small.path, tmp_path / f"{name}.npy", "--output", target
        )
        assert done.code == 0, done.err
        answers.append(np.load(target))
        assert ("PSNR" in done.out) == (name == "large")
    assert set(answers[0]) - set(answers[1]) == {"x"}
    np.testing.assert_allclose(answers[0]["samples"], answers[1]["samples"], atol=1e-4)


def test_what_can_not_be_restored_is_refused_in_one_line(tfvae_command, noisy, small, tmp_path):
    np.save(tmp_path / "wide.npy", np.zeros((3, 8, 6, 1), "float32"))
    np.save(tmp_path / "bytes.npy", np.full((3, 8, 8, 1), 255.0, "float32"))
    np.save(tmp_path / "dark.npy", np.full((3, 4, 4, 1), -0.5, "float32"))
    plain = trained(tmp_path / "plain")
    patched = trained(tmp_path / "patched", corruption="patches")
    for words, said in (
        (("denoise", plain.path), "this run was trained without"),
        (("denoise", noisy.path, tmp_path / "wide.npy"), "8, 6, 1"),
        (("denoise", noisy.path, tmp_path / "missing.npy"), "No such file"),
        (("denoise", noisy.path, tmp_path / "missing.npy", "--noisy"), "No such file"),
        (("denoise", noisy.path, tmp_path / "wide.npy", "--noisy"), "8, 6, 1"),
        (("denoise", patched.path, tmp_path / "bytes.npy", "--noisy"), r"values in \[0, 1\]"),
        (("super-resolve", noisy.path), "whose one condition is a smaller image"),
        (
            ("super-resolve", small.path, tmp_path / "wide.npy"),
            r"\(8, 6, 1\); expected \(8, 8, 1\)",
        ),
        (("super-resolve", small.path, tmp_path / "dark.npy"), r"expected values in \[0, 1\]"),
        (("super-resolve", small.path, tmp_path / "bytes.npy"), "255|pixels|0, 1"),
        (
            ("train", "digits-super-resolution", "--low-resolution", "3"),
            "--low-resolution 3 does not",
        ),
    ):
        done = tfvae_command(*words)
        assert done.code == 1, words
        assert re.search(said, done.err), done.err
        assert len(done.err.splitlines()) == 1, done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("denoise", "none"), "none does not exist"),
        (("super-resolve", "none"), "none does not exist"),
        (("denoise", "RUN", "--noisy"), "say which DATA"),
        (("denoise", "RUN", "--num-samples", "0"), "0 is not in the range"),
        (("super-resolve", "RUN", "--num-samples", "0"), "0 is not in the range"),
        (("denoise", "RUN", "--output", "out.png"), "does not end in .npz"),
        (("super-resolve", "RUN", "--output", "out.npy"), "does not end in .npz"),
    ],
)
def test_bad_words_are_usage_errors(tfvae_command, noisy, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    done = tfvae_command(*(noisy.path if word == "RUN" else word for word in words))
    assert done.code == 2
    assert said in done.err


def test_the_models_of_presets_are_made_without_data():
    for name in ("digits-super-resolution", "mnist-super-resolution"):
        model = presets.model(name, latent_size=2, **{"network.units": (8,)})
        assert set(model.conditions()) == {"low"}
    assert presets.model("mnist-denoising", latent_size=2, units=(8,)).corruption.scale == 0.25
