"""The evidence lower bound of a hierarchy, level by level."""

from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import positive_int, real
from tfvae.errors import UserError
from tfvae.inference.inference import Inference
from tfvae.inference.levels import LevelsProposal
from tfvae.objectives.base import Nats, Objective


@keras.saving.register_keras_serializable("tfvae")
class LevelsELBO(Objective):
    """loss = E_q[-log p(x|z)] + kl_weight sum_l w_l KL_l, the negative ELBO at weights 1.

        KL_l = E_q[KL(q(z_l|x, z_>l) || p(z_l|z_>l))]

    Logged, always unweighted and without free bits: `nll`, `kl` = sum_l KL_l, its parts `kl_z1`
    (next to x) to `kl_zL` (the top), and `elbo` = -nll - kl. Choose it over `ELBO` in a hierarchy,
    whose upper levels tend to switch off: it shows what each holds, and gives each a weight
    (`kl_z1_weight`) of its own and free bits.

    Args:
        num_levels: L, at least 2: that of the model.
        kl_weight: beta, at least 0, of all levels. A variable: warm it up by
            `tfvae.callbacks.LinearWeight`.
        num_samples: S, draws of z per example, at least 1.
        free_bits: lambda, nats of each level that cost nothing, the same for all, at least 0. The
            loss uses sum_l w_l max(lambda, mean over the batch of KL_l), logged as `free_bits_kl`.
        balanced: Whether, as long as `kl_weight` is below 1, each level's share of the gradient is
            in proportion to its nats per dimension, so that none switches off in the warm-up: as
            NVAE's code has it, whose appendix A has the size the other way round.
        **kwargs: Keras layer arguments.

    Shapes: `[B]` nats for each name; `free_bits_kl` a scalar of the batch.

    Raises:
        UserError: if an argument is out of range, or the model has another number of levels.

    Example:
        >>> LevelsELBO(num_levels=2).names
        ('elbo', 'nll', 'kl', 'kl_z1', 'kl_z2')

    References:
        C. K. Sonderby et al., 2016, "Ladder Variational Autoencoders", arXiv:1602.02282, eq. 5 and
        section 2.3 (warm-up). D. P. Kingma et al., 2016, arXiv:1606.04934, eq. 15: free bits, here
        with one group per level. A. Vahdat and J. Kautz, 2020, "NVAE", arXiv:2007.03898, appendix
        A: balancing.
    """

    follows_density = True  # a level's KL is estimated from draws, where it has no closed form

    def __init__(
        self,
        num_levels: int,
        kl_weight: float = 1.0,
        num_samples: int = 1,
        free_bits: float = 0.0,
        balanced: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.num_levels = positive_int("num_levels", num_levels)
        if num_levels < 2:
            raise UserError(
                "num_levels must be at least 2, received 1. Use tfvae.objectives.ELBO for one."
            )
        self.initial_kl_weight = real("kl_weight", kl_weight, minimum=0.0)
        self.num_samples = positive_int("num_samples", num_samples)
        self.free_bits = real("free_bits", free_bits, minimum=0.0)
        self.balanced = bool(balanced)
        self.add_term_weight("kl", self.initial_kl_weight)
        for name in self.level_names:
            self.add_term_weight(name, 1.0)

    @property
    def level_names(self) -> tuple[str, ...]:
        """`kl_z1` to `kl_zL`."""
        return tuple(f"kl_z{number + 1}" for number in range(self.num_levels))

    @property
    def names(self) -> tuple[str, ...]:
        """The ELBO, its parts, those of each level and, if there are any, `free_bits_kl`."""
        free = ("free_bits_kl",) if self.free_bits else ()
        return ("elbo", "nll", "kl", *self.level_names, *free)

    def weight(self, term: str) -> tf.Tensor | float:
        """Returns the KL's factor times that of the level."""
        if term == "nll":
            return 1.0
        whole = super().weight("kl")
        return whole * super().weight(term) if term in self.level_names else whole

    def nats(self, inference: Inference) -> Nats:
        """Returns `nll` and the KL of each level as terms, their sum and the ELBO beside them."""
        proposal = self._checked(inference.proposal)
        draws = inference.draw(self.num_samples)
        levels = {f"kl_{n}": draws.mean(kl) for n, kl in proposal.level_kl(draws.z).items()}
        levels = {name: levels[name] for name in self.level_names}
        nll, kl = draws.nll, tf.add_n(list(levels.values()))
        watched = {"elbo": -nll - kl, "kl": kl}
        shares = self._shares(levels, draws.z) if self.balanced else {}
        if self.free_bits:
            free = {"free_bits_kl": self._free_bits_kl(levels, {})}
            surrogates = {"free_bits_kl": self._free_bits_kl(levels, shares)} if shares else {}
            terms = {"nll": nll, **free}
            return Nats(terms, draws.reconstruction, {**watched, **levels}, surrogates)
        surrogates = {name: share * levels[name] for name, share in shares.items()}
        return Nats({"nll": nll, **levels}, draws.reconstruction, watched, surrogates)

    def _checked(self, proposal: Any) -> LevelsProposal:
        if not isinstance(proposal, LevelsProposal):
            raise UserError(
                "LevelsELBO is for a model of several levels, such as tfvae.LadderVAE; this one "
                "has one vector. Use tfvae.objectives.ELBO."
            )
        if len(proposal.heads) != self.num_levels:
            raise UserError(
                f"LevelsELBO was made for num_levels={self.num_levels}, and the model has "
                f"{len(proposal.heads)}. Give it as many."
            )
        return proposal

    def _free_bits_kl(
        self, levels: dict[str, tf.Tensor], shares: dict[str, tf.Tensor]
    ) -> tf.Tensor:
        """sum_l w_l max(lambda, KL_l), each level times its share."""
        return tf.add_n(
            [
                super(LevelsELBO, self).weight(name)
                * shares.get(name, 1.0)
                * tf.maximum(self.free_bits, tf.reduce_mean(kl))
                for name, kl in levels.items()
            ]
        )

    def _shares(
        self, levels: dict[str, tf.Tensor], z: dict[str, tf.Tensor]
    ) -> dict[str, tf.Tensor]:
        """A constant for each level, one on average: in proportion to its nats per dimension."""
        sizes = [float(z[n.removeprefix("kl_")].shape[2:].num_elements()) for n in levels]
        nats = [tf.stop_gradient(tf.reduce_mean(kl)) for kl in levels.values()]
        # 0.01 nats more, as in NVAE, so that the share of a level without any is not 0.
        parts = [(tf.abs(kl) + 0.01) / size for kl, size in zip(nats, sizes, strict=True)]
        mean = tf.add_n(parts) / len(parts)
        warming = super().weight("kl") < 1.0
        return {
            name: tf.where(warming, part / mean, 1.0)
            for name, part in zip(levels, parts, strict=True)
        }

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments; the weights' present values are weights."""
        return {
            **super().get_config(),
            "num_levels": self.num_levels,
            "kl_weight": self.initial_kl_weight,
            "num_samples": self.num_samples,
            "free_bits": self.free_bits,
            "balanced": self.balanced,
        }
