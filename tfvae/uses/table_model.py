"""The model that is made of a table where none is given."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

from tfvae.heads.likelihoods.independent_normal import LEARNED, IndependentNormal
from tfvae.heads.posteriors.multivariate_normal_diag import MultivariateNormalDiag
from tfvae.models.encoder_decoder import Decoder, Encoder
from tfvae.models.vae import VAE
from tfvae.networks.mlp import MLP

_UNITS, _LARGEST_CODE = 64, 8


def table_model(num_columns: int, seed: int = 0) -> VAE:
    """Returns a small VAE of rows of standardised real numbers `[N, D]`, with fresh weights.

    One hidden layer of 64 units each way, D / 2 latent dimensions (8 at most, 1 at least), a Normal
    likelihood whose scale is learned.

    Args:
        num_columns: D.
        seed: Of weights, order and noise.
    """
    latent_size = max(1, min(_LARGEST_CODE, num_columns // 2))
    with seeded_weights(seed):
        model = VAE(
            Encoder(MLP([_UNITS], activation="tanh"), MultivariateNormalDiag(latent_size)),
            Decoder(MLP([_UNITS], activation="tanh"), IndependentNormal((num_columns,), LEARNED)),
            seed=seed,
        )
        model.build((None, num_columns))
    return model


@contextmanager
def seeded_weights(seed: int) -> Iterator[None]:
    """Makes the weights of what is built within a function of the seed; others' stay theirs."""
    before = random.getstate()
    random.seed(seed)  # Keras' initialisers take theirs from it
    try:
        yield
    finally:
        random.setstate(before)
