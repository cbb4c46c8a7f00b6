"""Files changed in one place: each is refused in one message, or loads every weight bit for bit.

`pytest -n 0 -s tests/models/test_mutations.py` prints how many were loaded and refused.
"""

import random
import zipfile
from collections import Counter

import h5py
import keras
import numpy as np
import pytest

import tfvae
from tests.models import mutations
from tests.models.mutations import CONFIG, WEIGHTS, Members
from tests.models.tiny import IMAGES, vae
from tfvae import evaluation, priors
from tfvae.errors import UserError


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A trained model with an optimizer, its file, its weights and what it makes of images."""
    keras.utils.set_random_seed(1)
    model = vae(prior=priors.MixtureOfGaussians(2, num_components=3))
    model.compile("adam", jit_compile=False)
    model.fit(IMAGES, epochs=1, verbose=0)
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    model.save(path)
    return path, values(model), elbo(model)


def values(model):
    return [v.numpy() for v in (*model.variables, *model.optimizer.variables)]


def elbo(model):
    return evaluation.elbo(model, IMAGES, num_samples=2, seed=3).mean


def outcome(load, path, saved, *, same_function=True):
    """What becomes of a file: "loaded" as it was saved, or the message of the refusal."""
    _, weights, expected = saved
    try:
        model = load(path)
    except UserError as error:
        return str(error)
    found = values(model)
    assert len(found) == len(weights)
    for mine, theirs in zip(found, weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)
        assert mine.dtype == theirs.dtype
    if same_function:
        assert elbo(model) == expected
    return "loaded"


def counted(found, about):
    assert not [text for text in found if "\n" in text]
    counts = Counter("loaded" if text == "loaded" else "refused" for text in found)
    print(f"{about}: {counts['loaded']} loaded, {counts['refused']} refused")
    return counts


def outcomes(saved, folder, change, seed, count):
    """What becomes of files of which `change` has changed the members."""
    rng, found = random.Random(seed), []
    for _ in range(count):
        members = Members(saved[0])
        change(members, rng)
        found.append(outcome(tfvae.load_model, members.write(folder / "m.keras"), saved))
    return found


def test_changes_of_the_configuration(saved, tmp_path):
    found = outcomes(saved, tmp_path, mutations.change_config, seed=1, count=100)
    assert counted(found, "configuration")["refused"] > 92


def test_changes_of_the_configuration_by_one_who_signs_them_anew(saved, tmp_path):
    """Another activation is another model; what no change may do is lose a weight."""
    rng, found = random.Random(2), []
    for _ in range(80):
        members = Members(saved[0])
        mutations.change_config(members, rng)
        members.sign()
        path = members.write(tmp_path / "m.keras")
        found.append(outcome(tfvae.load_model, path, saved, same_function=False))
    counts = counted(found, "configuration, signed anew")
    assert counts["refused"] > 25
    assert counts["loaded"] > 10


def test_changes_of_the_weights(saved, tmp_path):
    found = outcomes(saved, tmp_path, mutations.change_weights, seed=3, count=80)
    assert counted(found, "weights")["refused"] > 65


def test_changes_of_the_archive(saved, tmp_path):
    rng, found = random.Random(4), []
    for _ in range(100):
        mutations.change_archive(saved[0], tmp_path / "m.keras", rng)
        found.append(outcome(tfvae.load_model, tmp_path / "m.keras", saved))
    assert counted(found, "archive")["refused"] > 60


def test_an_unchanged_file_written_anew_loads(saved, tmp_path):
    path = Members(saved[0]).write(tmp_path / "again.keras", zipfile.ZIP_DEFLATED)
    assert outcome(tfvae.load_model, path, saved) == "loaded"


def change(members, *keys, value):
    config = members.config
    owner = config
    for key in keys[:-1]:
        owner = owner[key]
    assert owner[keys[-1]] != value
    owner[keys[-1]] = value
    members.config = config


def refusal(load):
    """Keras wraps what a layer raises in an error of its own."""
    return UserError if load is tfvae.load_model else Exception


@pytest.mark.parametrize("load", [tfvae.load_model, keras.models.load_model])
@pytest.mark.parametrize("signed", [False, True])
def test_another_input_shape_never_loads_without_its_weights(saved, tmp_path, load, signed):
    members = Members(saved[0])
    change(members, "build_config", "input_shape", value=[None, 9, 9, 1])
    if signed:
        members.sign()
    with pytest.raises(refusal(load), match=r"changed since|weights in the file|\(9, 9, 1\)"):
        load(members.write(tmp_path / "m.keras"))


@pytest.mark.parametrize("load", [tfvae.load_model, keras.models.load_model])
@pytest.mark.parametrize("signed", [False, True])
def test_another_event_shape_never_samples(saved, tmp_path, load, signed):
    members = Members(saved[0])
    head = ("config", "decoder", "config", "head", "config", "event_shape")
    change(members, *head, value=[4, 16, 1])
    if signed:
        members.sign()
    with pytest.raises(refusal(load), match=r"changed since|weights in the file|\(4, 16, 1\)"):
        load(members.write(tmp_path / "m.keras"))


def test_plain_keras_refuses_a_weight_that_is_missing(saved, tmp_path):
    members = Members(saved[0])

    def drop(file):
        names = []
        file.visititems(lambda n, i: names.append(n) if isinstance(i, h5py.Dataset) else None)
        del file[next(name for name in names if name.startswith("decoder/"))]

    members.weights(drop)
    with pytest.raises(Exception, match="weights in the file"):
        keras.models.load_model(members.write(tmp_path / "m.keras"))


def deep(levels):
    return ("[" * levels + "]" * levels).encode()


def test_deep_json_is_refused_by_its_depth(saved, tmp_path):
    for levels in (200, 100_000):
        members = Members(saved[0])
        members.content[CONFIG] = deep(levels)
        path = members.write(tmp_path / "m.keras")
        assert "nested more than 100 levels" in outcome(tfvae.load_model, path, saved)


def test_a_padded_configuration_is_refused_by_its_size(saved, tmp_path):
    members = Members(saved[0])
    members.content[CONFIG] += b" " * (1 << 24)
    path = members.write(tmp_path / "m.keras", zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 200_000
    assert "would unpack to" in outcome(tfvae.load_model, path, saved)
    members.content["assets/noise"] = random.Random(0).randbytes(1 << 22)  # so that it may unpack
    path = members.write(tmp_path / "m.keras", zipfile.ZIP_DEFLATED)
    assert "more than 4,194,304 bytes" in outcome(tfvae.load_model, path, saved)


def test_weights_that_are_compressed_are_refused_by_what_they_say(saved, tmp_path):
    members = Members(saved[0])

    def bomb(file):
        del file["decoder/head"]
        shape = (1 << 20, 1 << 16)  # 256 GiB of zeros that nobody has written
        file.create_dataset("decoder/head/vars/0", shape, "f4", chunks=(1024, 1024))

    members.weights(bomb)
    assert len(members.content[WEIGHTS]) < 1_000_000
    path = members.write(tmp_path / "m.keras")
    assert "is said to be of shape (1048576, 65536)" in outcome(tfvae.load_model, path, saved)


def test_sizes_beyond_the_file_are_refused_before_they_are_made(saved, tmp_path):
    for units, message in (([10**9], "at most 16,777,216"), ([2**24], "more weights than are in")):
        members = Members(saved[0])
        change(members, "config", "encoder", "config", "network", "config", "units", value=units)
        members.sign()
        path = members.write(tmp_path / "m.keras")
        assert message in outcome(tfvae.load_model, path, saved)
