"""The hierarchy whose posterior goes up level by level."""

from typing import Any

import keras
import tensorflow as tf

from tfvae.distributions.draws import Draw
from tfvae.inference.levels import Choose, LevelPass
from tfvae.models.level import Level
from tfvae.models.levels import LevelsModel, in_order


@keras.saving.register_keras_serializable("tfvae")
class HierarchicalVAE(LevelsModel):
    """p(z_L) prod_l p(z_(l-1)|z_l) p(x|z_1), with q(z_1|x) prod_l q(z_l|z_(l-1)).

    Each level of q is drawn given the one below it, by a network of that draw: the hierarchy of
    the importance-weighted autoencoder's authors. Choose it with `ImportanceWeighted` and two
    levels; with more of them Sonderby et al. 2016 found the upper ones not to
    learn, and `LadderVAE` is for that.

    Args:
        encoder: q(z_1|x), `Encoder(network, head)`.
        levels: From the second up, `Level`: its upward network sees z_(l-1).
        decoder: p(x|z_1), `Decoder(network, head)`.
        prior: p(z_L), default `StandardNormal`.
        objective: Default `LevelsELBO`, whose KL of a level is estimated from the draws.
        seed: See `VAE`.
        top_down_features: Whether the features of each downward network go on down beside z: the
            network below sees `{"z": z_l, "above": features}`, and so does the decoder, which makes
            p(z_(l-1)|z_l, ..., z_L) and p(x|z_1, ..., z_L) of the equation's. Default False.
        **kwargs: Keras model arguments, and `corruption`: see `VAE`.

    Shapes: x `[B, *event]` -> reconstruction of the same shape; z a dict of `z1` to `zL`,
    `[B, D_l]` each. Logged values are in nats per example.

    Raises:
        UserTypeError: if a part is of the wrong kind.
        UserError: if there is one level, or sizes do not meet.

    Example:
        >>> from tfvae import Decoder, Encoder, heads, models, networks
        >>> level = models.Level(
        ...     networks.MLP([16]), heads.MultivariateNormalDiag(2),
        ...     networks.MLP([16]), heads.MultivariateNormalDiag(4),
        ... )
        >>> vae = HierarchicalVAE(
        ...     Encoder(networks.MLP([16]), heads.MultivariateNormalDiag(4)),
        ...     [level],
        ...     Decoder(networks.MLP([16]), heads.IndependentBernoulli((8, 8, 1))),
        ... )
        >>> vae.build((None, 8, 8, 1))
        >>> vae.sample(3, seed=1).shape.as_list()
        [3, 8, 8, 1]

    References:
        Y. Burda, R. Grosse, R. Salakhutdinov, 2016, "Importance Weighted Autoencoders",
        arXiv:1509.00519, section 5.1 (two stochastic layers). D. J. Rezende, S. Mohamed and D.
        Wierstra, 2014, arXiv:1401.4082, for the generative model.
    """

    top_down = False

    def first_upward(self, x: tf.Tensor) -> tf.Tensor:
        """Returns something of the size of a code of the first level."""
        return tf.zeros([1, self.encoder.event_shape[0]])

    def next_upward(self, level: Level, below: tf.Tensor) -> tf.Tensor:
        """Builds a level; what goes on up is a code of its size."""
        level.build_for(below)
        return tf.zeros([1, level.latent_size])

    def level_pass(self, features: tf.Tensor, choose: Choose, training: bool) -> LevelPass:
        """Chooses from the first level up, each given the one below."""
        names = list(self.latent_sizes)
        posteriors: dict[str, Any] = {}
        draws: dict[str, Draw] = {}
        for number, name in enumerate(names):
            if number == 0:
                head = self.encoder.head
                posterior = head.distribution(**head.parameters(features))
            else:
                posterior = self.levels[number - 1].up(
                    draws[names[number - 1]].z, training=training
                )
            posteriors[name] = posterior
            draws[name] = choose(name, posterior)
        z, log_posterior = in_order(draws, names)
        return LevelPass(z, log_posterior, posteriors, *self.priors_below(z, training))
