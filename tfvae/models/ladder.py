"""The ladder variational autoencoder."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import keras
import tensorflow as tf

from tfvae.distributions.draws import Draw
from tfvae.distributions.pushforward import Pushforward
from tfvae.errors import UserError
from tfvae.inference.levels import Choose, LevelPass
from tfvae.models.encoder_decoder import Decoder, Encoder
from tfvae.models.level import Level, normal_parameters
from tfvae.models.levels import LevelsModel, in_order
from tfvae.networks.combining import Combine
from tfvae.objectives import Objective
from tfvae.priors import Prior

Parameters = Mapping[str, tf.Tensor]
COMBINATIONS = {"none": None, "sum": False, "gated": True}
"""How features that come down go into q: not at all, or added to what comes up, gated or not."""


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

    A head of a flow on a diagonal Normal has that Normal merged, and its flow on what comes of it.
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
        combine: Whether those features go into q of the level that they come down to, beside d_l,
            and how: "none" (default), "sum" or "gated", see `networks.Combine`; in NVAE the sum.
            So q of a level sees all draws above it, where a merge shows it those next to it.
        **kwargs: Keras model arguments, and `corruption`: see `VAE`.

    Shapes: x `[B, *event]` -> reconstruction of the same shape; z a dict of `z1` to `zL`,
    `[B, D_l]` each. Logged values are in nats per example.

    Raises:
        UserTypeError: if a part is of the wrong kind.
        UserError: if there is one level, sizes do not meet, heads that are merged make no diagonal
            Normals, there is nothing to combine, or, when it is built, a vector with a map.

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
        combine: Literal["none", "sum", "gated"] = "none",
        **kwargs: Any,
    ):
        if combine not in COMBINATIONS:
            known = ", ".join(COMBINATIONS)
            raise UserError(f"combine must be one of {known}, received {combine!r}.")
        gated = COMBINATIONS[combine]
        if gated is not None and not top_down_features:
            raise UserError(
                f"combine={combine!r} is of features that come down, and there are none. Set "
                "top_down_features=True (--top-down-features true), or leave combine out."
            )
        if merge not in MERGES:
            raise UserError(f"merge must be one of {', '.join(MERGES)}, received {merge!r}.")
        super().__init__(
            encoder, levels, decoder, prior, objective, seed, top_down_features, **kwargs
        )
        self.merge, self.combine = merge, combine
        self.combiners: list[Combine] = []
        if gated is not None:
            self.combiners = [
                Combine(gated, name=f"combine_{number}") for number in range(1, 1 + len(levels))
            ]

    def first_upward(self, x: tf.Tensor) -> tf.Tensor:
        """Returns d_1."""
        return self.encoder.features(x)

    def next_upward(self, level: Level, below: tf.Tensor) -> tf.Tensor:
        """Builds a level, and returns d_l."""
        return level.build_for(below)

    def level_pass(self, features: tf.Tensor, choose: Choose, training: bool) -> LevelPass:
        """Goes up by features, and chooses from the top down."""
        names = list(self.latent_sizes)
        upward = self._upward(features)
        draws: dict[str, Draw] = {}
        posteriors, priors, features_down = {}, {names[-1]: self.prior()}, None
        for number, name in reversed(list(enumerate(names))):
            if number + 1 < len(names):
                above = draws[names[number + 1]].z
                priors[name], features_down = self.step_down(number, above, features_down, training)
            if self.combiners and features_down is not None:
                axes = features_down.shape.rank - above.shape.rank
                _check_axes(number, upward[number].shape.rank - 2, axes)
            proposed = self._proposed(number, upward[number], features_down)
            posteriors[name] = self._merged(number, proposed, priors[name])
            draws[name] = choose(name, posteriors[name])
        return LevelPass(*in_order(draws, names), posteriors, priors, features_down)

    def _upward(self, features: tf.Tensor) -> list[tf.Tensor]:
        """What comes up to each level."""
        found = [features]
        for level in self.levels:
            found.append(level.up.features(found[-1]))
        return found

    def _proposed(
        self, number: int, below: tf.Tensor, above: tf.Tensor | None
    ) -> dict[str, tf.Tensor]:
        """The parameters that a level's head makes of what comes up, and down, to it."""
        head = list(self.heads_by_level().values())[number]
        if above is None or not self.combiners:
            return head.parameters(below)
        both = self.combiners[number]({"below": below, "above": above})
        axes = both.shape.rank - below.shape.rank + 1
        leading, event = tf.shape(both)[:axes], both.shape[axes:]
        return {
            name: tf.reshape(value, tf.concat([leading, value.shape[1:]], axis=0))
            for name, value in head.parameters(tf.reshape(both, [-1, *event])).items()
        }

    def _merged(self, number: int, proposed: Parameters, prior: Any) -> Any:
        """q of a level: as it is proposed at the top, and below merged with the prior."""
        head = list(self.heads_by_level().values())[number]
        merge, found = MERGES[self.merge], head.distribution(**proposed)
        if merge is None or number == len(self.levels):
            return found
        base = found.base if isinstance(found, Pushforward) else found
        below = normal_parameters(base, f"What z{number + 1} is proposed")
        above = normal_parameters(prior, f"p(z{number + 1}|z{number + 2})")
        return head.distribution(**{**proposed, **merge(below, above)})

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "merge": self.merge, "combine": self.combine}


def _check_axes(number: int, up: int, down: int) -> None:
    """Refuses to combine a vector with a map, of which each place would be taken for an example.

    Args:
        number: Of the level, from 0.
        up: How many axes the features that come up to it have, besides those of a vector.
        down: Likewise those that come down.
    """
    if up != down:
        came, went = ("a vector" if axes == 0 else "a map" for axes in (up, down))
        raise UserError(
            f"Features come up to z{number + 1} as {came} and down to it as {went}, and only two "
            "of one kind are combined. Give both networks vectors, or both maps of one size, or "
            "combine='none'."
        )
