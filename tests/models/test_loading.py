"""`.keras` files that are damaged, foreign or absent."""

import zipfile

import keras
import pytest

import tfvae


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    vae = tfvae.VAE(
        tfvae.Encoder(tfvae.networks.MLP([4]), tfvae.heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(tfvae.networks.MLP([4]), tfvae.heads.IndependentBernoulli((4, 4, 1))),
    )
    vae.build((None, 4, 4, 1))
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    vae.save(path)
    return path


def test_saved_model_loads(saved):
    assert tfvae.load_model(saved).latent_size == 2


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="No such file"):
        tfvae.load_model(tmp_path / "model.keras")


def test_folder_suggests_the_model_inside(saved):
    with pytest.raises(ValueError, match=r"is a folder. Did you mean .*model\.keras\?"):
        tfvae.load_model(saved.parent)


@pytest.mark.parametrize("content", [b"", b"not a zip file", b"\x89PNG\r\n"])
def test_other_files(tmp_path, content):
    path = tmp_path / "model.keras"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"not a \.keras file"):
        tfvae.load_model(path)


@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_truncated_file(saved, tmp_path, share):
    content = saved.read_bytes()
    path = tmp_path / "model.keras"
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"damaged|lacks"):
        tfvae.load_model(path)


def test_flipped_bytes(saved, tmp_path):
    content = bytearray(saved.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(64 * [0xA5])
    path = tmp_path / "model.keras"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged"):
        tfvae.load_model(path)


def test_other_archive(tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<xml/>")
    with pytest.raises(ValueError, match=r"lacks config\.json"):
        tfvae.load_model(path)


def test_model_of_another_kind(tmp_path):
    path = tmp_path / "model.keras"
    model = keras.Sequential([keras.layers.Dense(2)])
    model.build((None, 3))
    model.save(path)
    with pytest.raises(ValueError, match="holds a Sequential, which is no model of tfvae"):
        tfvae.load_model(path)
