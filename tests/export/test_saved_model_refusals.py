"""When an export publishes nothing, and what it says then."""

import resource
import signal

import pytest
import tensorflow as tf

import tfvae
from tests.export.conftest import IMAGE_SHAPE, tiny_vae
from tfvae.export import ExportError
from tfvae.export.saved_models import verify


def test_a_failed_comparison_publishes_nothing(vae, tmp_path, encoder_only, monkeypatch):
    monkeypatch.setattr(verify, "compare", lambda *_: {"vae/score": 0.02, "a/b": 1e-6})
    with pytest.raises(ExportError, match=r"differs from the live one: vae/score by 0.02; at most"):
        tfvae.export.saved_model(vae, tmp_path / "mnist")
    assert list(tmp_path.iterdir()) == []


def test_the_comparison_sees_a_wrong_file(tmp_path, encoder_only, monkeypatch):
    write = tf.saved_model.save

    def other_model(module, folder, signatures):
        for variable in module.model_variables:
            variable.assign_add(tf.cast(tf.fill(variable.shape, 0.01), variable.dtype))
        try:
            write(module, folder, signatures)
        finally:
            for variable in module.model_variables:
                variable.assign_add(tf.cast(tf.fill(variable.shape, -0.01), variable.dtype))

    monkeypatch.setattr(tf.saved_model, "save", other_model)
    with pytest.raises(ExportError, match=r"differs .* encoder/encode by"):
        tfvae.export.saved_model(tiny_vae(1), tmp_path / "mnist")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_does_not_load_says_why(tmp_path):
    jobs = {"vae": {"path": str(tmp_path / "nowhere"), "requests": []}}
    with pytest.raises(ExportError, match=r"does not run in a fresh process .* does not exist"):
        verify._reload(jobs, tmp_path)


def test_a_full_disk_is_one_clear_message_and_leaves_nothing(vae, tmp_path, no_comparison):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, limits[1]))
        with pytest.raises(ExportError, match=r"can't write the encoder .*Nothing was published"):
            tfvae.export.saved_model(vae, tmp_path / "mnist")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []


def test_models_without_weights_and_wrong_versions_are_refused(vae, tmp_path):
    fresh = tfvae.VAE(
        tfvae.Encoder(tfvae.networks.MLP([4]), tfvae.heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(tfvae.networks.MLP([4]), tfvae.heads.IndependentBernoulli(IMAGE_SHAPE)),
    )
    with pytest.raises(ValueError, match="the model has no weights yet"):
        tfvae.export.saved_model(fresh, tmp_path)
    with pytest.raises(ValueError, match="version must be an integer of at least 1, received 0"):
        tfvae.export.saved_model(vae, tmp_path, version=0)
    assert list(tmp_path.iterdir()) == []
