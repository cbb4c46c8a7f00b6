"""export/mobile: snippets that name what the files have, and a page that samples in a browser."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.export import browser
from tests.export.conftest import IMAGE_SHAPE, codes
from tfvae.export.tflite_files.runtime import LiteRTFile

MOBILE = Path(__file__).parents[2] / "export" / "mobile"
WEB = MOBILE / "web"


def signatures(lite, name):
    return LiteRTFile(lite.paths[name].read_bytes()).interpreter.get_signature_list()


@pytest.mark.parametrize("snippet", ["Sampler.kt", "Sampler.swift", "web/sampler.js"])
def test_snippets_name_the_signatures_of_the_real_file(lite, snippet):
    text = (MOBILE / snippet).read_text()
    strings = set(re.findall(r'"(\w+)"', re.sub(r"//.*", "", text)))
    browsers = snippet.startswith("web/")
    found = signatures(lite, "decoder_browser.tflite" if browsers else "decoder.tflite")
    ends = {name for value in found.values() for kind in value.values() for name in kind}
    assert set(found) <= strings, "every signature is used"
    assert strings - {"wasm"} <= set(found) | ends, "nothing else is named"


@pytest.mark.parametrize(
    ("signature", "shapes"),
    [
        ("decode", {"z": (1, 3)}),
        ("sample", {"num_samples": ()}),
        ("sample_seeded", {"num_samples": (), "seed": ()}),
    ],
)
def test_inputs_have_the_shapes_that_the_snippets_pass(lite, signature, shapes):
    runner = LiteRTFile(lite.paths["decoder.tflite"].read_bytes()).interpreter.get_signature_runner(
        signature
    )
    details = runner.get_input_details()
    assert {name: tuple(value["shape"]) for name, value in details.items()} == shapes
    kinds = {name: value["dtype"] for name, value in details.items()}
    assert kinds == {name: np.float32 if name == "z" else np.int32 for name in shapes}


def test_the_page_pins_its_packages_and_names_no_registry():
    package = json.loads((WEB / "package.json").read_text())
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", v) for v in package["dependencies"].values())
    for path in WEB.glob("*.*"):
        assert "resolved" not in path.read_text(), path.name


@pytest.fixture(scope="module")
def exported_set(lite, tmp_path_factory):
    """A folder as an export leaves it, with files that are not what its manifest says."""
    folder = tmp_path_factory.mktemp("set")
    decoder = lite.paths["decoder_browser.tflite"]
    for name in ("decoder_browser", "damaged", "stranger"):
        shutil.copy(decoder, folder / f"{name}.tflite")
    shutil.copy(lite.paths["decoder.tflite"], folder / "free.tflite")
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    del files["stranger.tflite"]
    manifest = {"schema": 1, "name": "tiny", "version": 5, "files": files | {"no.tflite": "0" * 64}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    damaged = bytearray(decoder.read_bytes())
    damaged[len(damaged) // 2] ^= 1  # within the weights: it would load, and draw other pictures
    (folder / "damaged.tflite").write_bytes(damaged)
    return folder


@pytest.fixture(scope="module")
def page(exported_set, tmp_path_factory):
    if browser.chromium() is None:
        pytest.skip("Chromium is not installed")
    if not (WEB / "node_modules" / "@litertjs").is_dir():
        pytest.skip("LiteRT's web runtime is not installed: npm install in export/mobile/web")
    files = {path.name: path for path in exported_set.iterdir()}
    files |= {"lone/decoder_browser.tflite": files["decoder_browser.tflite"]}
    files |= {"no.tflite": "/none"}
    with (
        browser.served(WEB, files) as url,
        browser.opened(tmp_path_factory.mktemp("profile")) as opened,
    ):
        opened.url = url
        yield opened


@pytest.fixture
def loaded(page):
    page.open(page.url)
    page.wait("document.body.dataset.ready")
    assert "4 images in" in status(page)
    return page


def status(page):
    return page.run("return document.getElementById('status').textContent")


def submit(page, seed):
    page.run(
        "document.getElementById('seed').value = arguments[0];"
        "document.getElementById('controls').requestSubmit()",
        seed,
    )


def shown(page, name, shape):
    return np.array(page.run(f"return Array.from(state.{name})"), np.float32).reshape(shape)


def test_the_browser_draws_what_python_draws(vae, loaded):
    for seed in (1, -7, 2**31 - 1):
        submit(loaded, str(seed))
        loaded.wait(f"document.getElementById('status').textContent.startsWith('Seed {seed}:')")
        images = shown(loaded, "x", (4, *IMAGE_SHAPE))
        np.testing.assert_allclose(images, vae.sample(4, seed=seed), atol=1e-4)
        z = shown(loaded, "z", (4, vae.latent_size))
        np.testing.assert_allclose(z, codes(vae, 4, seed), atol=1e-4)


def test_pixels_on_the_canvas_are_the_probabilities(vae, loaded):
    pixels = loaded.run(
        "const canvas = document.querySelectorAll('#grid canvas')[2];"
        "const {width, height} = canvas;"
        "return Array.from(canvas.getContext('2d').getImageData(0, 0, width, height).data)"
    )
    grey = np.reshape(pixels, (*IMAGE_SHAPE[:2], 4))
    expected = np.round(255 * np.asarray(vae.sample(4, seed=1))[2])
    np.testing.assert_allclose(grey[..., :3], np.repeat(expected, 3, -1), atol=1)
    assert (grey[..., 3] == 255).all()


def test_a_slider_moves_one_latent_of_the_chosen_sample(vae, loaded):
    loaded.run("document.querySelectorAll('#grid button')[3].click()")
    loaded.wait("state.chosen === 3")
    loaded.run(
        "const slider = document.getElementById('z1'); slider.value = 2.5;"
        "slider.dispatchEvent(new Event('input'))"
    )
    loaded.wait("state.z[3 * state.sampler.latentSize + 1] === 2.5")
    loaded.wait("document.querySelectorAll('#sliders output')[1].textContent === '2.50'")
    z = codes(vae, 4, 1)
    z[3, 1] = 2.5
    expected = vae.decoder(tf.constant(z)).mean()
    np.testing.assert_allclose(shown(loaded, "x", (4, *IMAGE_SHAPE)), expected, atol=1e-4)


def test_surprises_differ(vae, loaded):
    draws = []
    for _ in range(3):
        loaded.run("state.z = null; document.getElementById('surprise').click()")
        loaded.wait("state.z")
        draws.append(shown(loaded, "z", (4, vae.latent_size)))
    assert len(np.unique(np.concatenate(draws), axis=0)) == 12


@pytest.mark.parametrize("seed", ["1.5", "2147483648", ""])
def test_a_wrong_seed_is_named_and_the_page_goes_on(loaded, seed):
    submit(loaded, seed)
    loaded.wait("document.getElementById('status').className === 'error'")
    assert "expected an integer from -2^31 to 2^31 - 1" in status(loaded)
    submit(loaded, "3")
    loaded.wait("document.getElementById('status').textContent.startsWith('Seed 3:')")


def test_the_page_says_which_set_it_has(loaded, exported_set):
    digest = hashlib.sha256((exported_set / "decoder_browser.tflite").read_bytes()).hexdigest()
    shown = loaded.run("return document.getElementById('set').textContent")
    assert shown == f"tiny, version 5: decoder_browser.tflite, SHA-256 {digest}"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("no.tflite", "no.tflite: HTTP status 404"),
        ("free.tflite", "export with browser_samples"),
        ("damaged.tflite", "damaged or of another set, and was not loaded"),
        ("stranger.tflite", "stranger.tflite is not in the manifest of tiny, version 5"),
        ("lone/decoder_browser.tflite", "lone/manifest.json: HTTP status 404"),
    ],
)
def test_a_model_that_does_not_fit_is_refused_by_name(page, model, message):
    page.open(f"{page.url}/?model={model}")
    page.wait("document.body.dataset.ready")
    assert message in status(page)
    assert page.run("return state.sampler === null")
    assert page.run("return document.getElementById('set').textContent") == "none yet"
