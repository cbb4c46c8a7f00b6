"""The autoencoder: what it finds is what PCA finds, and what it can't do it says."""

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

import tfvae
from tfvae import (
    VAE,
    Autoencoder,
    Decoder,
    Encoder,
    corruptions,
    evaluation,
    heads,
    networks,
    objectives,
)
from tfvae.models.capabilities import (
    Decodes,
    Emits,
    Encodes,
    EncodesInTwo,
    Generates,
    Quantiles,
    Rebuilds,
    Scores,
    can,
)

SHAPE, SIZE = (8, 8, 1), 4


def autoencoder(network=keras.layers.Flatten, **options):
    return Autoencoder(
        Encoder(network(), heads.PointCode(SIZE)),
        Decoder(network(), heads.IndependentNormal(SHAPE)),
        seed=0,
        **options,
    )


def mlp():
    return networks.MLP([8])


def digits():
    return (load_digits().data.reshape(-1, *SHAPE) / 16.0).astype("float32")


def principal_error(x, size):
    """The mean squared error that the first components leave, from NumPy's SVD."""
    centred = x.reshape(len(x), -1).astype("float64")
    centred -= centred.mean(axis=0)
    singular = np.linalg.svd(centred, compute_uv=False)
    return np.sum(singular[size:] ** 2) / len(x)


def test_a_linear_one_reaches_the_error_of_pca():
    """Within a tenth of a percent, and never below: PCA is the best linear code."""
    keras.utils.set_random_seed(0)
    x, model = digits()[:512], autoencoder()
    rate = keras.optimizers.schedules.CosineDecay(2e-2, 1600)
    model.compile(keras.optimizers.Adam(rate), jit_compile=False)
    model.fit(x, batch_size=256, epochs=800, verbose=0)
    found = evaluation.reconstruction_errors(model, x).mean()
    exact = principal_error(x, SIZE)
    assert exact * (1 - 1e-5) <= found <= exact * 1.001


@pytest.mark.parametrize("size", [None, 1, 10])
def test_the_error_of_pca_is_that_of_the_singular_values(size):
    x, model = digits()[:300], autoencoder()
    model.build((None, *SHAPE))
    found = evaluation.pca_reconstruction_errors(model, x, x, size)
    assert found.shape == (300,)
    np.testing.assert_allclose(found.mean(), principal_error(x, size or SIZE), rtol=1e-9)


def test_the_loss_is_half_the_squared_error_and_a_constant():
    x, model = digits()[:40], autoencoder(mlp)
    model.compile("adam", jit_compile=False)
    model.fit(x[:8], epochs=1, verbose=0)
    logged = model.evaluate(x, batch_size=40, verbose=0, return_dict=True)
    error = evaluation.reconstruction_errors(model, x).mean()
    constant = 0.5 * 64 * np.log(2 * np.pi)
    np.testing.assert_allclose(logged["nll"], 0.5 * error + constant, rtol=1e-5)
    assert set(logged) == {"loss", "nll"}
    errors = np.square(x - model.reconstruct(x).numpy()).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(evaluation.reconstruction_errors(model, x), errors, rtol=1e-5)


def test_it_encodes_and_decodes_and_neither_scores_nor_generates():
    model = autoencoder()
    assert can(model, Encodes, Decodes, Emits, EncodesInTwo)
    assert not any(can(model, lacking) for lacking in (Scores, Generates, Quantiles, Rebuilds))


def test_codes_are_the_same_by_every_way():
    x, model = digits()[:6], autoencoder(mlp)
    model.build((None, *SHAPE))
    codes = model.codes(x)
    assert codes.shape == (6, SIZE)
    np.testing.assert_allclose(model.encode({"x": keras.ops.array(x)}), codes, rtol=1e-6)
    np.testing.assert_allclose(model.code_model()(x), codes, rtol=1e-6)
    np.testing.assert_allclose(model.decode(codes), model.reconstruct(x), rtol=1e-5, atol=1e-6)


def test_denoising_trains_on_what_is_corrupted_against_what_is_not():
    """All entries hidden: nothing but the mean can be learned."""
    keras.utils.set_random_seed(0)
    x = digits()[:256]
    model = autoencoder(mlp, corruption=corruptions.Masking(1.0))
    model.compile(keras.optimizers.Adam(2e-2), jit_compile=False)
    loss = model.fit(x, batch_size=256, epochs=300, verbose=0).history["loss"][-1]
    spread = np.square(x - x.mean(axis=0)).sum(axis=(1, 2, 3)).mean()
    np.testing.assert_allclose(2 * loss - 64 * np.log(2 * np.pi), spread, rtol=1e-3)


def test_a_saved_one_is_the_same(tmp_path):
    x, model = digits()[:6], autoencoder(mlp, corruption=corruptions.AdditiveNormal(0.1))
    model.compile("adam", jit_compile=False)
    model.fit(x, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = tfvae.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.reconstruct(x), model.reconstruct(x))
    assert loaded.corruption.scale == 0.1


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda model: model.sample(2), r"sample\(\).*Autoencoder can't\. It has no prior"),
        (lambda model: model.log_likelihood(digits()[:2]), r"no density of x: train a tfvae\.VAE"),
        (lambda model: evaluation.elbo(model, digits()[:2]), r"train a tfvae\.VAE"),
        (lambda model: VAE(model.encoder, model.decoder), r"tfvae\.Autoencoder"),
        *[
            (
                lambda model, made=made: VAE(model.encoder, model.decoder, objective=made),
                r"makes a point, which has no density.*MultivariateNormalDiag",
            )
            for made in (
                objectives.ELBO(gradient="score_function"),
                objectives.ImportanceWeighted(3, gradient="vimco"),
            )
        ],
        (
            lambda model: Autoencoder(
                Encoder(mlp(), heads.MultivariateNormalDiag(2)), model.decoder
            ),
            r"heads\.PointCode\(latent_size\).*tfvae\.VAE",
        ),
        (
            lambda model: evaluation.pca_reconstruction_errors(model, digits()[:9], digits(), 10),
            "num_components=10 of 9 examples of 64 numbers",
        ),
        (
            lambda model: evaluation.pca_reconstruction_errors(model, digits(), digits(), 0),
            "num_components must be an integer of at least 1",
        ),
    ],
)
def test_what_it_cannot_do_is_refused_with_the_remedy(ask, message):
    model = autoencoder()
    model.build((None, *SHAPE))
    with pytest.raises(ValueError, match=message):
        ask(model)
