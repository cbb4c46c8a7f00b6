"""The members of the family: names -> constructors, by kind, imported when they are built.

A member costs one line here. What can be set of it, on the command line, in a preset and in
`config.json`, follows from its constructor's signature and docstring. "package.module:Class" is
somebody else's member and needs no line; a package that is installed gives its members short names
by the entry points "tfvae.members":

    [project.entry-points."tfvae.members"]
    "posterior.sylvester" = "mypackage.heads:SylvesterFlow"
"""

import functools
import importlib
import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tfvae import signatures, values
from tfvae.complaints import is_users, whole_tracebacks
from tfvae.errors import UserError, UserImportError
from tfvae.signatures import Argument, Signature
from tfvae.suggestions import nearest

_HEADS = "tfvae.heads.posteriors."
_LIKELIHOODS = "tfvae.heads.likelihoods."


@dataclass(frozen=True)
class Kind:
    """A choice that a run makes.

    Attributes:
        text: What is chosen, one line.
        members: Name -> "package.module:Name" of a class or function.
        given: Arguments that the run knows, and asks once for all members.
        defaults: Member -> argument -> a default other than the constructor's.
        choices: Member -> another kind -> what is chosen of that, unless it is given.
    """

    text: str
    members: dict[str, str]
    given: tuple[str, ...]
    defaults: dict[str, dict[str, Any]] = field(default_factory=dict)
    choices: dict[str, dict[str, str]] = field(default_factory=dict)


KINDS = {
    "model": Kind(
        "What is trained.",
        {
            "vae": "tfvae.models.vae:VAE",
            "conditional": "tfvae.models.conditional:ConditionalVAE",
            "semi_supervised": "tfvae.models.semi_supervised:SemiSupervisedVAE",
            "missing_data": "tfvae.models.missing:MissingDataVAE",
            "autoencoder": "tfvae.models.autoencoder:Autoencoder",
            "hierarchical": "tfvae.models.hierarchical:HierarchicalVAE",
            "ladder": "tfvae.models.ladder:LadderVAE",
            "pixel_cnn": "tfvae.models.pixel_cnn:PixelCNN",
            "levels_pixel_cnn": "tfvae.models.levels_pixel_cnn:LevelsPixelCNN",
            "vq_vae": "tfvae.models.vq_vae:VQVAE",
            "vq_vae_2": "tfvae.models.vq_vae_2:VQVAE2",
        },
        (
            "encoder",
            "network",
            "quantiser",
            "decoder",
            "levels",
            "conditionals",
            "classifier",
            "prior",
            "objective",
            "corruption",
            "missing_process",
            "conditions",
            "event_shape",
            "latent_size",
            "seed",
        ),
        choices={
            "autoencoder": {"posterior": "point"},
            "hierarchical": {"objective": "levels_elbo"},
            "ladder": {"objective": "levels_elbo"},
            "vq_vae": {"network": "residual"},
            "vq_vae_2": {"network": "residual", "levels": "residual_codes"},
        },
    ),
    "levels": Kind(
        "Levels of z above the first, of a hierarchy.",
        {
            "mlp": "tfvae.models.level_networks:mlp_levels",
            "conv": "tfvae.models.level_maps:conv_levels",
            "residual_codes": "tfvae.models.level_codes:residual_code_levels",
        },
        ("latent_size", "features_shape", "quantiser", "dtype"),
    ),
    "network": Kind(
        "Networks of the encoder and the decoder.",
        {
            "mlp": "tfvae.networks.pairs:mlp",
            "conv": "tfvae.networks.pairs:conv",
            "linear": "tfvae.networks.pairs:linear",
            "unet": "tfvae.networks.pairs:unet",
            "residual": "tfvae.networks.pairs:residual_conv",
            "nvae": "tfvae.networks.pairs:nvae",
        },
        ("event_shape", "latent_size", "dtype"),
    ),
    "conditionals": Kind(
        "Network of p(x_i | x_1 .. x_{i-1}), of a model of levels position by position.",
        {
            "gated": "tfvae.networks.pixel_cnn:GatedPixelCNN",
            "pixel_snail": "tfvae.networks.pixel_snail:PixelSNAIL",
        },
        ("event_shape", "dtype"),
    ),
    "posterior": Kind(
        "q(z|x).",
        {
            "diag": _HEADS + "multivariate_normal_diag:MultivariateNormalDiag",
            "tril": _HEADS + "multivariate_normal_tri_l:MultivariateNormalTriL",
            "mixture": _HEADS + "gaussian_mixture:GaussianMixture",
            "householder": _HEADS + "householder_flow:HouseholderFlow",
            "planar": _HEADS + "planar_flow:PlanarFlow",
            "radial": _HEADS + "radial_flow:RadialFlow",
            "realnvp": _HEADS + "real_nvp_flow:RealNVPFlow",
            "iaf": _HEADS + "inverse_autoregressive_flow:InverseAutoregressiveFlow",
            "spline": _HEADS + "spline_flow:SplineFlow",
            "bernoulli": _HEADS + "latent_bernoulli:LatentBernoulli",
            "categorical": _HEADS + "latent_categorical:LatentCategorical",
            "relaxed_bernoulli": _HEADS + "relaxed_bernoulli:RelaxedBernoulli",
            "relaxed_categorical": _HEADS + "relaxed_categorical:RelaxedCategorical",
            "piecewise": _HEADS + "latent_piecewise:LatentPiecewise",
            "normal_map": _HEADS + "normal_map:NormalMap",
            "normal_and_piecewise": _HEADS + "normal_and_piecewise:NormalAndPiecewise",
            "point": _HEADS + "point_code:PointCode",
        },
        ("latent_size", "event_shape", "seed"),
    ),
    "quantiser": Kind(
        "How a model of integer codes makes them.",
        {
            "vq": "tfvae.quantisers.vector_quantised:VectorQuantised",
            "fsq": "tfvae.quantisers.finite_scalar:FiniteScalar",
            "gumbel": "tfvae.quantisers.gumbel_codes:GumbelCodes",
        },
        ("vector_size",),
    ),
    "likelihood": Kind(
        "p(x|z); bernoulli for bits and normal for other data unless it is given.",
        {
            "bernoulli": _LIKELIHOODS + "independent_bernoulli:IndependentBernoulli",
            "normal": _LIKELIHOODS + "independent_normal:IndependentNormal",
            "continuous_bernoulli": _LIKELIHOODS + "continuous_bernoulli:ContinuousBernoulli",
            "categorical": _LIKELIHOODS + "categorical:Categorical",
            "discretised_logistic_mixture": _LIKELIHOODS
            + "discretised_logistic_mixture:DiscretisedLogisticMixture",
            "poisson": _LIKELIHOODS + "poisson:Poisson",
            "negative_binomial": _LIKELIHOODS + "negative_binomial:NegativeBinomial",
            "multinomial": _LIKELIHOODS + "multinomial:Multinomial",
            "student_t": _LIKELIHOODS + "student_t:StudentT",
        },
        ("event_shape", "seed"),
        # With a unit scale the KL dominates pixels in [0, 1].
        {"normal": {"scale": "learned"}},
    ),
    "prior": Kind(
        "p(z).",
        {
            "standard_normal": "tfvae.priors.standard_normal:StandardNormal",
            "mixture": "tfvae.priors.mixture_of_gaussians:MixtureOfGaussians",
            "realnvp": "tfvae.priors.real_nvp_prior:RealNVPPrior",
            "autoregressive": "tfvae.priors.autoregressive_prior:AutoregressivePrior",
            "conditional_normal": "tfvae.priors.conditional_normal:ConditionalNormal",
            "vamp": "tfvae.priors.vamp_prior:VampPrior",
            "piecewise": "tfvae.priors.piecewise_prior:PiecewisePrior",
            "normal_and_piecewise": "tfvae.priors.joint_prior:NormalAndPiecewisePrior",
            "bernoulli": "tfvae.priors.bernoulli_prior:BernoulliPrior",
            "categorical": "tfvae.priors.categorical_prior:CategoricalPrior",
            "relaxed_bernoulli": "tfvae.priors.relaxed_bernoulli_prior:RelaxedBernoulliPrior",
            "relaxed_categorical": "tfvae.priors.relaxed_categorical_prior:RelaxedCategoricalPrior",
        },
        ("latent_size", "event_shape", "seed"),
    ),
    "objective": Kind(
        "What training maximises.",
        {
            "elbo": "tfvae.objectives.elbo:ELBO",
            "controlled_capacity": "tfvae.objectives.controlled_capacity:ControlledCapacity",
            "geco": "tfvae.objectives.geco:GECO",
            "hybrid": "tfvae.objectives.hybrid:Hybrid",
            "importance_weighted": "tfvae.objectives.importance_weighted:ImportanceWeighted",
            "levels_elbo": "tfvae.objectives.levels_elbo:LevelsELBO",
        },
        ("num_levels", "seed"),
    ),
    "corruption": Kind(
        "What the encoder sees in x's place while training; x itself unless it is given.",
        {
            "additive_normal": "tfvae.corruptions.additive_normal:AdditiveNormal",
            "masking": "tfvae.corruptions.masking:Masking",
            "patches": "tfvae.corruptions.patches:Patches",
            "salt_and_pepper": "tfvae.corruptions.salt_and_pepper:SaltAndPepper",
        },
        (),
    ),
    "missing_process": Kind(
        "Why entries are missing, given what they are; at random unless it is given.",
        {
            "self_masking": "tfvae.missingness.self_masking:SelfMasking",
            "linear_masking": "tfvae.missingness.linear_masking:LinearMasking",
        },
        (),
    ),
    "schedule": Kind(
        "Of the learning rate, over all epochs.",
        {
            "constant": "tfvae.settings.schedules:constant",
            "cosine": "tfvae.settings.schedules:cosine",
        },
        ("learning_rate", "steps"),
    ),
    "callback": Kind(
        "What else changes while training; none unless it is given.",
        {
            "linear_weight": "tfvae.callbacks.weights:LinearWeight",
            "cyclical_weight": "tfvae.callbacks.weights:CyclicalWeight",
            "linear_capacity": "tfvae.callbacks.capacity:LinearCapacity",
        },
        ("end", "capacity"),  # the objective's kl_weight, and its capacity
    ),
}


@functools.cache
def members(kind: str) -> dict[str, str]:
    """Name -> path of the members that have a name, those of installed packages included."""
    points = importlib.metadata.entry_points(group="tfvae.members")
    theirs = {p.name: p.value for p in points if p.name.startswith(f"{kind}.")}
    return {**{n.partition(".")[2]: path for n, path in theirs.items()}, **KINDS[kind].members}


def path(kind: str, name: str) -> str:
    """The "package.module:Name" of a member.

    Raises:
        UserError: for a name that is neither known nor of that form, with the nearest one.
    """
    known = members(kind)
    if name in known:
        return known[name]
    if isinstance(name, str) and name.count(":") == 1 and all(name.split(":")):
        return name
    raise UserError(
        f"no such {kind} {name!r}.{nearest(name, known)} Expected one of {', '.join(known)}, or "
        "'package.module:Class' of your own."
    )


def signature(kind: str, name: str) -> Signature:
    """A member's signature, read from its source.

    Raises:
        UserError: if there is no such member.
    """
    return signatures.read_signature(path(kind, name))


def arguments(kind: str, name: str) -> dict[str, Argument]:
    """The arguments of a member that are settings: the run knows the others.

    Raises:
        UserError: if there is no such member.
    """
    given = KINDS[kind].given
    changed = KINDS[kind].defaults.get(name, {})
    return {
        argument.name: argument.replace(default=changed.get(argument.name, argument.default))
        for argument in signature(kind, name).arguments.values()
        if argument.name not in (*given, "name") and values.adapter(argument.annotation)
    }


def constructor(kind: str, name: str) -> Any:
    """The class or function of a member, imported.

    Raises:
        UserError: if there is no such member, or a package that it imports is missing.
    """
    module, _, attribute = path(kind, name).partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise UserImportError(f"--{kind} {name} can't be imported: {error}.") from error


def build(kind: str, name: str, settings: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    """Makes a member.

    Args:
        kind: One of `KINDS`.
        name: Of the member, or "package.module:Class".
        settings: Arguments by name.
        given: What the run knows; of these the constructor gets those that it names.

    Raises:
        UserError: if the constructor refuses its arguments, or wants one that nobody gave.
    """
    described = signature(kind, name)
    taken = (*described.arguments, *(["name"] if described.named else []))
    known = {key: given[key] for key in taken if key in given}
    missing = [
        argument.name
        for argument in described.arguments.values()
        if argument.default is signatures.REQUIRED and argument.name not in {**known, **settings}
    ]
    if missing:
        raise UserError(f"--{kind} {name} wants {', '.join(missing)}, which a run does not have.")
    make = constructor(kind, name)
    try:
        with whole_tracebacks():
            return make(**{**known, **settings})
    except (ValueError, TypeError) as error:
        if not is_users(error):
            raise
        raise UserError(f"--{kind} {name}: {error}") from error
