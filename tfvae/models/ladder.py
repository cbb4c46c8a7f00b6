"""The ladder variational autoencoder."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import keras
import tensorflow as tf

from tfvae.distributions.draws import Draw
from tfvae.errors import UserError
from tfvae.inference.levels import Choose, LevelPass
from tfvae.models.encoder_decoder import Decoder, Encoder
from tfvae.models.level import Level, normal_parameters
from tfvae.models.levels import LevelsModel, in_order
from tfvae.objectives import Objective
from tfvae.priors import Prior

Parameters = Mapping[str, tf.Tensor]


def precision_weighted(proposed: Parameters, prior: Parameters) -> dict[str, tf.Tensor]:
    """The Normal whose precision is the sum of two, and whose mean is theirs by their precisions.

        1 / s^2 = 1 / s_q^2 + 1 / s_p^2,      m = s^2 (m_q / s_q^2 + m_p / s_p^2)

    Args:
        proposed: `loc` and `scale_diag` from below.
        prior: The same from above.
    """
    precisions = [1.0 / tf.square(p["scale_diag"]) for p in (proposed, prior)]
    variance = 1.0 / tf.add_n([precisions[0] + tf.zeros_like(precisions[1]), precisions[1]])
    loc = variance * (proposed["loc"] * precisions[0] + prior["loc"] * precisions[1])
    return {"loc": loc, "scale_diag": tf.sqrt(variance)}


def residual_merge(proposed: Parameters, prior: Parameters) -> dict[str, tf.Tensor]:
    """The Normal that differs from the prior by what is proposed: N(m_p + m_q, (s_p s_q)^2)."""
    return {
        "loc": prior["loc"] + proposed["loc"],
        "scale_diag": prior["scale_diag"] * proposed["scale_diag"],
    }


MERGES: dict[str, Callable[[Parameters, Parameters], dict[str, tf.Tensor]] | None] = {
    "precision": precision_weighted,
    "residual": residual_merge,
    "none": None,
}


@keras.saving.register_keras_serializable("tfvae")
class LadderVAE(LevelsModel):
    """p(z_L) prod_l p(z_(l-1)|z_l) p(x|z_1), whose q meets the prior on its way down.

        d_1 = encoder's network(x),  d_l = upward_l(d_(l-1))                 up, not random
        q(z_L|x) = N(m(d_L), s(d_L)^2)                                       the top
        q(z_l|x, z_>l) = merge(N(m(d_l), s(d_l)^2), p(z_l|z_(l+1)))          down, level by level

    Choose it over `HierarchicalVAE` for more than two levels: what x says goes to each level
    directly, and the prior's part of q is the prior itself. The paper trains it with batch
    normalisation and a warm-up of the KL (`callbacks.LinearWeight`).

    Args:
        encoder: `Encoder(network, head)`: d_1, and what it proposes for z_1.
        levels: From the second up, `Level`: its upward network sees d_(l-1).
        decoder: p(x|z_1), `Decoder(network, head)`.
        prior: p(z_L), default `StandardNormal`.
        objective: Default `LevelsELBO`.
        merge: "precision" (default) weighs what is proposed and the prior by their precisions;
            "residual" has what is proposed as the difference to the prior (NVAE); "none" takes what
            is proposed, so that q of the levels are independent given x.
        seed: See `VAE`.
        top_down_features: Whether the features of each downward network go on down beside z: the
            network below sees `{"z": z_l, "above": features}`, and so does the decoder, which makes
            p(z_(l-1)|z_l, ..., z_L) and p(x|z_1, ..., z_L) of the equation's. Default False.
        **kwargs: Keras model arguments, and `corruption`: see `VAE`.

    Shapes: x `[B, *event]` -> reconstruction of the same shape; z a dict of `z1` to `zL`,
    `[B, D_l]` each. Logged values are in nats per example.

    Raises:
        UserTypeError: if a part is of the wrong kind.
        UserError: if there is one level, sizes do not meet, or heads that are merged make no
            diagonal Normals.

    Example:
        >>> from tfvae import Decoder, Encoder, heads, models, networks
        >>> level = models.Level(
        ...     networks.MLP([16]), heads.MultivariateNormalDiag(2),
        ...     networks.MLP([16]), heads.MultivariateNormalDiag(4),
        ... )
        >>> ladder = LadderVAE(
        ...     Encoder(networks.MLP([16]), heads.MultivariateNormalDiag(4)),
        ...     [level],
        ...     Decoder(networks.MLP([16]), heads.IndependentBernoulli((8, 8, 1))),
        ... )
        >>> ladder.build((None, 8, 8, 1))
        >>> ladder.objective.names
        ('elbo', 'nll', 'kl', 'kl_z1', 'kl_z2')

    References:
        C. K. Sonderby, T. Raiko, L. Maaloe, S. K. Sonderby and O. Winther, 2016, "Ladder
        Variational Autoencoders", arXiv:1602.02282, eq. 11 to 17. A. Vahdat and J. Kautz, 2020,
        "NVAE: A Deep Hierarchical Variational Autoencoder", arXiv:2007.03898, section 3.2 (the
        residual merge).
    """

    top_down = True

    def __init__(
        self,
        encoder: Encoder,
        levels: Sequence[Level],
        decoder: Decoder,
        prior: Prior | None = None,
        objective: Objective | None = None,
        merge: Literal["precision", "residual", "none"] = "precision",
        seed: int | None = None,
        top_down_features: bool = False,
        **kwargs: Any,
    ):
        if merge not in MERGES:
            raise UserError(f"merge must be one of {', '.join(MERGES)}, received {merge!r}.")
        super().__init__(
            encoder, levels, decoder, prior, objective, seed, top_down_features, **kwargs
        )
        self.merge = merge

    def first_upward(self, x: tf.Tensor) -> tf.Tensor:
        """Returns d_1."""
        return self.encoder.features(x)

    def next_upward(self, level: Level, below: tf.Tensor) -> tf.Tensor:
        """Builds a level, and returns d_l."""
        return level.build_for(below)

    def level_pass(self, features: tf.Tensor, choose: Choose, training: bool) -> LevelPass:
        """Goes up by features, and chooses from the top down."""
        names = list(self.latent_sizes)
        proposed = self._proposed(features)
        draws: dict[str, Draw] = {}
        posteriors, priors, features_down = {}, {names[-1]: self.prior()}, None
        for number, name in reversed(list(enumerate(names))):
            if number + 1 < len(names):
                above = draws[names[number + 1]].z
                priors[name], features_down = self.step_down(number, above, features_down, training)
            posteriors[name] = self._merged(number, proposed[number], priors[name])
            draws[name] = choose(name, posteriors[name])
        return LevelPass(*in_order(draws, names), posteriors, priors, features_down)

    def _proposed(self, features: tf.Tensor) -> list[dict[str, tf.Tensor]]:
        """The parameters that each level's head makes of what comes up to it."""
        found = [self.encoder.head.parameters(features)]
        for level in self.levels:
            features = level.up.features(features)
            found.append(level.up.head.parameters(features))
        return found

    def _merged(self, number: int, proposed: Parameters, prior: Any) -> Any:
        """q of a level: as it is proposed at the top, and below merged with the prior."""
        head = list(self.heads_by_level().values())[number]
        merge = MERGES[self.merge]
        if merge is None or number == len(self.levels):
            return head.distribution(**proposed)
        below = normal_parameters(head.distribution(**proposed), f"What z{number + 1} is proposed")
        above = normal_parameters(prior, f"p(z{number + 1}|z{number + 2})")
        return head.distribution(**merge(below, above))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "merge": self.merge}
