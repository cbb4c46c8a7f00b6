"""What the parts of a semi-supervised model have to be."""

from typing import Any

from tfvae.checks import instance_of
from tfvae.errors import UserError
from tfvae.heads.base import REALS
from tfvae.heads.posteriors.latent_categorical import LatentCategorical
from tfvae.models.encoder_decoder import Decoder, Encoder
from tfvae.objectives import Objective
from tfvae.priors import Prior


def check_parts(
    encoder: Encoder, decoder: Any, classifier: Any, prior: Any, objective: Any, num_classes: int
) -> None:
    """Refuses parts that are no good for a sum over classes.

    Raises:
        UserTypeError: if a part is of the wrong kind.
        UserError: says what to use.
    """
    instance_of("decoder", decoder, Decoder, "tfvae.Decoder(network, head)")
    hint = f"Encoder(network, heads.LatentCategorical({num_classes}, num_categories={num_classes}))"
    instance_of("classifier", classifier, Encoder, hint)
    instance_of("prior", prior, Prior, "see tfvae.priors")
    instance_of("objective", objective, Objective, "see tfvae.objectives")
    head = classifier.head
    if not isinstance(head, LatentCategorical) or (head.num_blocks, head.num_categories) != (
        1,
        num_classes,
    ):
        raise UserError(
            f"The classifier makes {type(head).__name__} of {head.event_shape} numbers, and the "
            f"label has {num_classes} classes; expected {hint}."
        )
    head, kind = encoder.head, type(encoder.head).__name__
    if not head.has_density or not head.reparameterised or head.space != REALS or head.strata > 1:
        raise UserError(
            f"The codes of each class are drawn differentiably, from one distribution of real "
            f"numbers with a density, and {kind}, which makes {head.space}, is none. Use a head "
            "such as heads.MultivariateNormalDiag."
        )
    if prior.latent_size != encoder.event_shape[0]:
        raise UserError(
            f"The encoder's head makes {encoder.event_shape[0]} latent dimensions and the prior "
            f"has {prior.latent_size}. Give both the same latent_size."
        )
    if prior.needs:
        raise UserError(
            f"{type(prior).__name__}'s distribution depends on {' and '.join(prior.needs)}, and "
            "p(z) of a semi-supervised model depends on nothing: use a prior such as "
            "priors.StandardNormal."
        )
    if not objective.stratified:
        raise UserError(
            f"{type(objective).__name__} with this gradient draws one class of each example, which "
            "has no gradient; the sum over classes needs an objective that draws from each: "
            'objectives.ELBO(), or objectives.ImportanceWeighted(), with gradient="pathwise".'
        )
    if decoder.head.fits_batches:
        raise UserError(
            f"{type(decoder.head).__name__} fits a parameter to the rows of a batch, where each "
            "row stands once for every class. Use another scale, such as "
            'scale="learned".'
        )
