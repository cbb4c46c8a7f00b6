"""The autoencoder: a code and no prior."""

from typing import Any, ClassVar

import keras

from tfvae.checks import instance_of
from tfvae.corruptions import Corruption
from tfvae.errors import UserError
from tfvae.models.autoencoding import Autoencoding
from tfvae.models.capabilities import Batch
from tfvae.models.encoder_decoder import Decoder, Encoder
from tfvae.objectives.base import Nats


@keras.saving.register_keras_serializable("tfvae")
class Autoencoder(Autoencoding):
    """loss = -log p(x|z),  z = f(x): a code of D numbers, without a prior and without a KL.

    Choose it to reduce dimensions, beside or in place of PCA: with linear networks and a Normal
    likelihood of fixed scale it finds the principal subspace; with others it bends. With a
    `corruption` it is a denoising autoencoder. What it can't do is draw x or score it: a `VAE`
    does; a prior that is fitted to its codes draws (`tfvae.uses.fit_aggregate`).

    Args:
        encoder: f, `Encoder(network, heads.PointCode(latent_size))`.
        decoder: p(x|z), `Decoder(network, head)`. Of a Normal with scale 1 the loss is half
            the squared error, and a constant.
        corruption: What the encoder sees in x's place while training, one of `tfvae.corruptions`;
            None (default) for x itself.
        seed: Of the corruption. None (default): `keras.utils.set_random_seed` governs it.
        **kwargs: Keras model arguments.

    Shapes: x `[B, *event]` -> reconstruction of the same shape. Logged is `nll`, nats an example.

    Raises:
        UserTypeError: if a part is of the wrong kind.
        UserError: for an encoder whose head has a density: what makes its scale would not train.

    Example:
        >>> import numpy as np
        >>> from tfvae import heads, networks
        >>> model = Autoencoder(
        ...     Encoder(networks.MLP([16]), heads.PointCode(2)),
        ...     Decoder(networks.MLP([16]), heads.IndependentNormal((8, 8, 1))),
        ... )
        >>> model.compile("adam")
        >>> history = model.fit(np.zeros((32, 8, 8, 1), "float32"), verbose=0)
        >>> model.encode(np.zeros((5, 8, 8, 1), "float32")).shape
        (5, 2)

    References:
        G. E. Hinton and R. R. Salakhutdinov, 2006, "Reducing the Dimensionality of Data with Neural
        Networks", Science 313. P. Baldi and K. Hornik, 1989, "Neural Networks and Principal
        Component Analysis", Neural Networks 2, for the linear one. P. Vincent et al., 2008,
        "Extracting and Composing Robust Features with Denoising Autoencoders", ICML.
    """

    remedies: ClassVar[dict[str, str]] = {
        "Generates": "It has no prior: fit one to its codes, "
        "model.with_prior(tfvae.uses.fit_aggregate(model, data)) (--aggregate 10), or train a "
        "tfvae.VAE.",
        "Scores": "It has no density of x: train a tfvae.VAE.",
    }

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder,
        corruption: Corruption | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        instance_of("encoder", encoder, Encoder, "tfvae.Encoder(network, head)")
        if encoder.head.has_density:
            raise UserError(
                f"An Autoencoder's code is a point, and {type(encoder.head).__name__} makes a "
                "distribution, whose spread would not train. Use heads.PointCode(latent_size) "
                "(--posterior point), or a tfvae.VAE."
            )
        super().__init__(encoder, decoder, ("nll",), corruption=corruption, seed=seed, **kwargs)

    def loss_terms(self, batch: Batch, training: bool) -> Nats:
        """Returns -log p(x|z) at the code of each example."""
        z = self.encoder.head.code(self.posterior_of(batch, training))
        likelihood = self.decoder(self.decoder_inputs(z, self.given(batch)), training=training)
        return Nats({"nll": -self.log_prob_of(likelihood, batch)}, likelihood.mean())
