"""What models of several levels of z share."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import instance_of
from tfvae.distributions.draws import Draw
from tfvae.errors import UserError
from tfvae.heads.base import Head
from tfvae.inference.inference import Inference, Joint
from tfvae.inference.levels import Choose, LevelPass, LevelsProposal
from tfvae.models.autoencoding import NOTHING, Autoencoding
from tfvae.models.capabilities import Batch
from tfvae.models.configuration import serialize_part
from tfvae.models.encoder_decoder import Decoder, Encoder
from tfvae.models.level import Level, checked_levels, level_names
from tfvae.noise import Noise
from tfvae.objectives import Objective
from tfvae.objectives.levels_elbo import LevelsELBO
from tfvae.priors import Prior, StandardNormal

tfd = tfp.distributions


class LevelsModel(Autoencoding):
    """p(x, z) = p(z_L) prod_l p(z_(l-1)|z_l) p(x|z_1): z is a dict of vectors `z1` to `zL`.

    A subclass says how q goes through the levels, by `level_pass`.

    Args:
        encoder: `Encoder(network, head)`, of x to the first level.
        levels: The second level and those above, at least one.
        decoder: p(x|z_1), `Decoder(network, head)`.
        prior: p(z_L), default `StandardNormal`.
        objective: Default `LevelsELBO`.
        top_down_features: Whether the features of each downward network go on down beside z.
        seed: See `LatentVariableModel`.
        **kwargs: Keras model arguments, and `corruption`: see `VAE`.

    Raises:
        UserTypeError: if a part is of the wrong kind.
        UserError: if there is one level, or sizes do not meet.
    """

    parts = ("encoder", "decoder", "prior", "objective", "corruption")
    objective: Objective
    top_down: bool
    """Whether q of a level is given the levels above it, as its prior is."""

    def __init__(
        self,
        encoder: Encoder,
        levels: Sequence[Level],
        decoder: Decoder,
        prior: Prior | None = None,
        objective: Objective | None = None,
        seed: int | None = None,
        top_down_features: bool = False,
        **kwargs: Any,
    ):
        instance_of("encoder", encoder, Encoder, "tfvae.Encoder(network, head)")
        levels = checked_levels(levels, encoder.event_shape[0])
        top = levels[-1].latent_size
        prior = StandardNormal(top, name="prior") if prior is None else prior
        instance_of("prior", prior, Prior, "see tfvae.priors")
        if prior.latent_size != top or prior.needs:
            raise UserError(
                f"The prior is over {prior.latent_size} numbers and needs "
                f"{' and '.join(prior.needs) or 'nothing'}; expected one of the top level, over "
                f"{top}, that needs nothing of a model, such as StandardNormal({top})."
            )
        if objective is None:
            objective = LevelsELBO(1 + len(levels), name="objective")
        instance_of("objective", objective, Objective, "see tfvae.objectives")
        for head in (encoder.head, *(level.up.head for level in levels)):
            objective.check_path(head, type(head).__name__)
        super().__init__(encoder, decoder, objective.names, seed=seed, **kwargs)
        self.levels, self.prior, self.objective = levels, prior, objective
        self.top_down_features = bool(top_down_features)

    @property
    def latent_size(self) -> int:
        """How many numbers all levels have together."""
        return sum(self.latent_sizes.values())

    @property
    def latent_sizes(self) -> dict[str, int]:
        """Level -> the size of its z, from `z1`, next to x, to the top."""
        sizes = [self.encoder.event_shape[0], *(level.latent_size for level in self.levels)]
        return dict(zip(level_names(len(sizes)), sizes, strict=True))

    def zero_code(self) -> dict[str, tf.Tensor]:
        """Returns a code of zeros."""
        return {name: tf.zeros([1, size]) for name, size in self.latent_sizes.items()}

    def build_others(self, shape: tuple[int | None, ...]) -> None:
        """Builds the levels, for what comes up to each, the prior and the objective."""
        below = self.first_upward(tf.zeros([1, *shape[1:]]))
        for level in self.levels:
            below = self.next_upward(level, below)
        for part in (self.prior, self.objective):
            if not part.built:
                part.build(None if part is self.prior else shape)

    @abstractmethod
    def first_upward(self, x: tf.Tensor) -> tf.Tensor:
        """Returns what comes up to the second level from an example, to build it for."""

    @abstractmethod
    def next_upward(self, level: Level, below: tf.Tensor) -> tf.Tensor:
        """Builds a level for what comes up to it, and returns what goes on up."""

    @abstractmethod
    def level_pass(self, features: tf.Tensor, choose: Choose, training: bool) -> LevelPass:
        """Returns one way through all levels, from the encoder network's features of x.

        Args:
            features: `[B, ...]`.
            choose: What makes z of each level's q.
            training: Whether networks train.
        """

    def heads_by_level(self) -> dict[str, Head]:
        """Level -> the head of its q."""
        heads = [self.encoder.head, *(level.up.head for level in self.levels)]
        return dict(zip(self.latent_sizes, heads, strict=True))

    def infer(self, batch: Batch, training: bool = False) -> Inference:
        """Returns q(z|x) and log p(x, z) over all levels."""
        seen = self.corrupted(batch) if training else batch
        proposal = self._proposal(self.features(seen), training)

        def joint(z: dict[str, tf.Tensor]) -> Joint:
            found = proposal.at(z)
            likelihood = self.decoder(self._shown(z, found.features), training=training)
            log_likelihood = self.log_prob_of(likelihood, batch)
            log_prior = tf.broadcast_to(found.log_prior, tf.shape(log_likelihood))
            return Joint(log_likelihood, log_prior, likelihood.mean())

        return Inference(proposal, joint)

    def _proposal(self, features: tf.Tensor, training: bool = False) -> LevelsProposal:
        def run(choose: Choose) -> LevelPass:
            return self.level_pass(features, choose, training)

        return LevelsProposal(run, self.heads_by_level(), self.top_down)

    def step_down(
        self, number: int, z: tf.Tensor, features: tf.Tensor | None, training: bool = False
    ) -> tuple[Any, tf.Tensor | None]:
        """Returns p of a level given those above it, and the features that go on down from there.

        Args:
            number: Of the level, from 0, next to x.
            z: Of the level above it.
            features: That came down to that one; None for the top.
            training: Whether networks train.
        """
        down = self.levels[number].down
        if not self.top_down_features:
            return down(z, training=training), None
        inputs = z if features is None else {"z": z, "above": features}
        if not down.built:
            down.build_for(inputs)
        return down.with_features(inputs, training)

    def priors_below(
        self, z: Mapping[str, tf.Tensor], training: bool = False
    ) -> tuple[dict[str, Any], tf.Tensor | None]:
        """Returns p of each level given those above it, of given z, and what the decoder is given.

        That is what comes down beside z_1, None where it is nothing.
        """
        names = list(self.latent_sizes)
        found, features = {names[-1]: self.prior()}, None
        for number in reversed(range(len(self.levels))):
            above = z[names[number + 1]]
            found[names[number]], features = self.step_down(number, above, features, training)
        return found, features

    def code_of(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Returns the point estimate of each level, given those of the levels before it."""
        return self.infer(batch).proposal.mean()

    def decoder_inputs(self, z: Any, conditions: Batch) -> tf.Tensor:
        """Returns the first level, and the features that come down to it where they go on."""
        return self._shown(z, self.priors_below(z)[1] if self.top_down_features else None)

    def _shown(self, z: Any, features: tf.Tensor | None) -> Any:
        first = self.encoder.head.embedded(z["z1"])
        return first if features is None else {"z": first, "above": features}

    def outputs_of(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the code and the standard deviation of each level's q at the codes before it."""
        found = self._proposal(features).codes()
        outputs = {}
        for name, head in self.heads_by_level().items():
            outputs[name] = found.z[name]
            outputs[f"{name}_stddev"] = head.moments(found.posteriors[name]).stddev
        return outputs

    def generate(self, noise: Noise, conditions: Batch = NOTHING) -> dict[str, tf.Tensor]:
        """Returns codes from p(z), drawn from the top down, `[*leading, D_l]` each."""
        return self.continued({}, noise)

    def continued(self, z: Mapping[str, tf.Tensor], noise: Noise) -> dict[str, tf.Tensor]:
        """Returns codes with some top levels given and the others drawn from the prior.

        Args:
            z: Level -> codes `[*leading, D_l]` of none, some or all of the upper levels.
            noise: Of leading shape `[*leading]`, for the others.

        Raises:
            UserError: for a level given without those above it.
        """
        names = list(self.latent_sizes)
        drawn = names[: len(names) - len(z)]
        if set(z) != set(names[len(drawn) :]):
            raise UserError(
                f"Levels {', '.join(sorted(z))} are given; expected the upper ones without a gap, "
                f"of {', '.join(names)}: what is below them is drawn given them."
            )
        found, features = dict(z), None
        for number in reversed(range(len(names))):
            own, name = noise.part(1 + number), names[number]
            if number + 1 == len(names):
                if not z:
                    found[name] = self.prior.checked_codes(own)
                continue
            if name in z and not self.top_down_features:
                continue
            prior, features = self.step_down(number, found[names[number + 1]], features)
            if name not in z:
                found[name] = self.levels[number].down.head.draw(prior, own).z
        return {name: found[name] for name in names}

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        levels = [serialize_part(level, self.built) for level in self.levels]
        own = {"levels": levels, "top_down_features": self.top_down_features}
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "LevelsModel":
        """Creates one from `get_config`."""
        read = keras.saving.deserialize_keras_object
        levels = [read(level, custom_objects) for level in config["levels"]]
        made = super().from_config({**config, "levels": levels}, custom_objects)
        assert isinstance(made, cls)
        return made


def in_order(draws: Mapping[str, Draw], names: Sequence[str]) -> tuple[dict, dict]:
    """Returns z and log q by level, the one next to x first."""
    z = {name: draws[name].z for name in names}
    return z, {name: draws[name].log_prob for name in names}
