"""Every constructor's signature against its `get_config`: what is taken is returned.

`.keras` files hold nothing else, so that an argument that is left out is lost without a word.
"""

import importlib
import inspect

import keras
import numpy as np
import pytest

import tfvae
from tfvae import (
    callbacks,
    corruptions,
    flows,
    heads,
    missingness,
    networks,
    objectives,
    priors,
    quantisers,
    signatures,
)

AREAS = (
    "flows",
    "heads",
    "missingness",
    "networks",
    "objectives",
    "priors",
    "quantisers",
    "models",
)
BASES = {
    "Head",
    "LatentHead",
    "LikelihoodHead",
    "FlowStep",
    "MissingProcess",
    "Prior",
    "Objective",
    "Quantiser",
    "LatentVariableModel",
}
SHAPE = (4, 4, 1)


def encoder(**options):
    return tfvae.Encoder(networks.MLP([3]), heads.MultivariateNormalDiag(2), **options)


def decoder(**options):
    return tfvae.Decoder(networks.MLP([3]), heads.IndependentBernoulli(SHAPE), **options)


def levels():
    above = tfvae.Level(
        networks.MLP([3]),
        heads.MultivariateNormalDiag(3),
        networks.MLP([3]),
        heads.MultivariateNormalDiag(2),
        name="level_2",
    )
    return {"encoder": encoder(name="q"), "levels": [above], "decoder": decoder(name="p")}


def code_level():
    return tfvae.CodeLevel(
        networks.ResidualConv([2], name="u"),
        quantisers.FiniteScalar([3, 4], name="c2"),
        networks.ResidualConvTranspose([2], [4, 4], name="d"),
        name="level_2",
    )


NETWORK = {"units": [3, 4], "activation": "tanh"}
RESIDUAL = {"filters": [2, 3], "num_blocks": 1, "kernel_size": 5, "activation": "tanh"}
CELLS = {
    "filters": [2, 3],
    "num_cells": 2,
    "strides": 1,
    "residual_scale": 0.5,
    "zero_start": True,
    "spectral_weight": 0.25,
}
PIXELS = {
    "num_levels": 5,
    "filters": 8,
    "num_layers": 3,
    "kernel_size": 5,
    "first_kernel_size": 5,
    "units": 16,
}
# Arguments that differ from the defaults, all that there are.
ARGUMENTS = {
    heads.IndependentBernoulli: lambda: {"event_shape": [4, 4, 1]},
    heads.IndependentNormal: lambda: {"event_shape": [4, 4, 1], "scale": "learned"},
    heads.Categorical: lambda: {"event_shape": [4, 4, 1], "num_levels": 5},
    heads.ContinuousBernoulli: lambda: {"event_shape": [4, 4, 1]},
    heads.DiscretisedLogisticMixture: lambda: {
        "event_shape": [4, 4, 3],
        "num_components": 2,
        "num_levels": 16,
    },
    heads.Multinomial: lambda: {"event_shape": [4], "total_count": 3},
    heads.NegativeBinomial: lambda: {"event_shape": [4]},
    heads.Poisson: lambda: {"event_shape": [4]},
    heads.Product: lambda: {
        "likelihoods": {"counts": heads.Poisson((3,)), "bits": heads.IndependentBernoulli((2,))}
    },
    heads.StudentT: lambda: {"event_shape": [4], "df": 3.0},
    heads.MultivariateNormalDiag: lambda: {"latent_size": 3},
    heads.MultivariateNormalTriL: lambda: {"latent_size": 3},
    heads.PointCode: lambda: {"latent_size": 3},
    heads.LatentBernoulli: lambda: {"latent_size": 3},
    heads.LatentCategorical: lambda: {"latent_size": 6, "num_categories": 3},
    heads.JointPosterior: lambda: {
        "posteriors": {"a": heads.MultivariateNormalDiag(2), "b": heads.LatentPiecewise(1)}
    },
    heads.NormalAndPiecewise: lambda: {"latent_size": 3, "num_pieces": 5},
    heads.NormalMap: lambda: {"latent_size": 8, "kernel_size": 1, "limit": 2.0, "zero_start": True},
    heads.LatentPiecewise: lambda: {"latent_size": 3, "num_pieces": 5},
    heads.RelaxedBernoulli: lambda: {
        "latent_size": 3,
        "temperature": 0.5,
        "straight_through": True,
    },
    heads.RelaxedCategorical: lambda: {
        "latent_size": 6,
        "num_categories": 3,
        "temperature": 0.5,
        "straight_through": True,
    },
    heads.Flow: lambda: {
        "base": heads.MultivariateNormalTriL(3),
        "steps": [flows.Radial(), flows.Householder()],
    },
    heads.GaussianMixture: lambda: {"latent_size": 3, "num_components": 2},
    heads.HouseholderFlow: lambda: {"latent_size": 3, "num_steps": 2},
    heads.PlanarFlow: lambda: {"latent_size": 3, "num_steps": 2},
    heads.RadialFlow: lambda: {"latent_size": 3, "num_steps": 2},
    heads.RealNVPFlow: lambda: {"latent_size": 3, "num_steps": 2, **NETWORK, "context_size": 6},
    heads.InverseAutoregressiveFlow: lambda: {
        "latent_size": 3,
        "num_steps": 2,
        **NETWORK,
        "context_size": 6,
        "of_map": True,
    },
    heads.SplineFlow: lambda: {
        "latent_size": 3,
        "num_steps": 2,
        **NETWORK,
        "context_size": 6,
        "num_bins": 5,
        "bound": 3.0,
    },
    flows.Householder: dict,
    flows.Planar: dict,
    flows.Radial: dict,
    flows.AffineCoupling: lambda: {**NETWORK, "context_size": 6, "flipped": True},
    flows.SplineCoupling: lambda: {
        **NETWORK,
        "context_size": 6,
        "flipped": True,
        "num_bins": 5,
        "bound": 3.0,
    },
    flows.InverseAutoregressive: lambda: {**NETWORK, "context_size": 6, "reverse": True},
    flows.MaskedAutoregressive: lambda: {**NETWORK, "context_size": 6, "reverse": True},
    missingness.LinearMasking: dict,
    missingness.SelfMasking: lambda: {"hides": "large"},
    networks.MADE: lambda: {**NETWORK, "num_outputs": 2, "context_size": 6, "reverse": True},
    networks.SideBySide: dict,
    networks.MLP: lambda: {"units": [3, 4], "activation": "tanh", "batch_normalisation": True},
    networks.Conv: lambda: {
        "filters": [2, 3],
        "kernel_size": 5,
        "strides": 1,
        "activation": "tanh",
    },
    networks.ConvTranspose: lambda: {
        "filters": [3, 2],
        "image_size": [8, 6],
        "kernel_size": 5,
        "strides": 1,
        "activation": "tanh",
    },
    networks.UNet: lambda: {
        "filters": [2, 3],
        "num_convolutions": 1,
        "kernel_size": 5,
        "strides": 3,
        "activation": "tanh",
    },
    networks.ResidualConv: lambda: RESIDUAL,
    networks.ResidualConvTranspose: lambda: {**RESIDUAL, "image_size": [8, 6]},
    networks.SqueezeExcitation: dict,
    networks.InferenceCell: lambda: {
        "residual_scale": 0.5,
        "zero_start": True,
        "spectral_weight": 0.25,
    },
    networks.GenerativeCell: lambda: {
        "expansion": 2,
        "kernel_size": 3,
        "residual_scale": 0.5,
        "zero_start": True,
        "spectral_weight": 0.25,
    },
    networks.NVAEConv: lambda: CELLS,
    networks.NVAEConvTranspose: lambda: {
        **CELLS,
        "image_size": [8, 6],
        "expansion": 2,
        "constant": True,
    },
    networks.Combine: lambda: {"gated": True},
    networks.CodesAbove: lambda: {
        "num_levels": 5,
        "filters": 4,
        "image_size": [8, 6],
        "num_blocks": 1,
    },
    networks.GatedPixelCNN: lambda: PIXELS,
    networks.PixelSNAIL: lambda: {**PIXELS, "every": 3, "num_heads": 2},
    objectives.ELBO: lambda: {
        "kl_weight": 2.0,
        "num_samples": 3,
        "analytic_kl": True,
        "free_bits": 0.5,
        "gradient": "score_function",
        "baseline": False,
    },
    objectives.ControlledCapacity: lambda: {
        "capacity": 3.0,
        "gap_weight": 5.0,
        "num_samples": 3,
        "analytic_kl": True,
    },
    objectives.GECO: lambda: {
        "target": 15.0,
        "rate": 0.01,
        "decay": 0.9,
        "num_samples": 3,
        "analytic_kl": True,
    },
    objectives.Hybrid: lambda: {"alpha": 0.25, "num_samples": 3, "analytic_kl": True},
    objectives.ImportanceWeighted: lambda: {
        "num_samples": 3,
        "gradient": "doubly_reparameterised",
        "baseline": False,
    },
    objectives.LevelsELBO: lambda: {
        "num_levels": 3,
        "kl_weight": 2.0,
        "num_samples": 3,
        "free_bits": 0.5,
        "balanced": True,
    },
    priors.StandardNormal: lambda: {"latent_size": 3},
    priors.MixtureOfGaussians: lambda: {
        "latent_size": 3,
        "num_components": 4,
        "covariance": "full",
    },
    priors.ConditionalNormal: lambda: {"latent_size": 3, **NETWORK},
    priors.VampPrior: lambda: {
        "latent_size": 3,
        "event_shape": [4, 4, 1],
        "num_components": 5,
        "learn_inputs": False,
        "interval": [-1.0, 1.0],
    },
    priors.RealNVPPrior: lambda: {"latent_size": 3, "num_steps": 2, **NETWORK},
    priors.AutoregressivePrior: lambda: {"latent_size": 3, "num_steps": 2, **NETWORK},
    priors.BernoulliPrior: lambda: {"latent_size": 3},
    priors.CategoricalPrior: lambda: {"latent_size": 6, "num_categories": 3},
    priors.JointPrior: lambda: {
        "priors": {"a": priors.StandardNormal(2), "b": priors.PiecewisePrior(1)}
    },
    priors.NormalAndPiecewisePrior: lambda: {
        "latent_size": 3,
        "num_pieces": 5,
        "learned": False,
    },
    priors.PiecewisePrior: lambda: {"latent_size": 3, "num_pieces": 5, "learned": False},
    priors.RelaxedBernoulliPrior: lambda: {"latent_size": 3, "temperature": 0.7},
    priors.RelaxedCategoricalPrior: lambda: {
        "latent_size": 6,
        "num_categories": 3,
        "temperature": 0.5,
    },
    tfvae.Encoder: lambda: {"network": networks.MLP([3]), "head": heads.MultivariateNormalTriL(2)},
    tfvae.Decoder: lambda: {"network": networks.MLP([3]), "head": heads.IndependentNormal(SHAPE)},
    tfvae.Autoencoder: lambda: {
        "encoder": tfvae.Encoder(networks.MLP([3]), heads.PointCode(2), name="f"),
        "decoder": decoder(name="p"),
        "corruption": corruptions.Masking(0.5),
        "seed": 7,
    },
    tfvae.ConditionalVAE: lambda: {
        "encoder": encoder(name="q"),
        "decoder": decoder(name="p"),
        "conditions": {"label": tfvae.Field.label(3), "count": tfvae.Field((2,), "int32", None)},
        "counted": "counts",
        "embedding": networks.MLP([4], name="e"),
        "prior": priors.ConditionalNormal(2, [3]),
        "objective": objectives.Hybrid(0.25),
        "corruption": corruptions.Masking(0.5),
        "weight_scale": 2.0,
        "weight_posterior": "mean_field",
        "seed": 7,
    },
    tfvae.SemiSupervisedVAE: lambda: {
        "encoder": encoder(name="q"),
        "decoder": decoder(name="p"),
        "classifier": tfvae.Encoder(networks.MLP([3]), heads.LatentCategorical(3, 3), name="c"),
        "conditions": {"label": tfvae.Field.label(3, holes=True)},
        "prior": priors.MixtureOfGaussians(2, 3),
        "objective": objectives.ImportanceWeighted(2),
        "alpha": 0.5,
        "bound_share": 0.25,
        "class_prior": [0.25, 0.25, 0.5],
        "label_gradient": "score_function",
        "temperature": 0.25,
        "corruption": corruptions.Masking(0.5),
        "seed": 7,
    },
    tfvae.Level: lambda: {
        "upward": networks.MLP([3]),
        "posterior": heads.MultivariateNormalDiag(3),
        "downward": networks.MLP([4]),
        "prior": heads.MultivariateNormalDiag(2),
    },
    tfvae.HierarchicalVAE: lambda: {
        **levels(),
        "corruption": corruptions.Masking(0.5),
        "prior": priors.MixtureOfGaussians(3, 2),
        "objective": objectives.LevelsELBO(2, kl_weight=0.5),
        "top_down_features": True,
        "seed": 7,
    },
    tfvae.LadderVAE: lambda: {
        **levels(),
        "corruption": corruptions.Masking(0.5),
        "prior": priors.MixtureOfGaussians(3, 2),
        "objective": objectives.LevelsELBO(2, kl_weight=0.5),
        "merge": "residual",
        "top_down_features": True,
        "combine": "gated",
        "seed": 7,
    },
    tfvae.MissingDataVAE: lambda: {
        "encoder": encoder(name="q"),
        "decoder": decoder(name="p"),
        "corruption": corruptions.Masking(0.5),
        "weight_scale": 2.0,
        "weight_posterior": "mean_field",
        "prior": priors.MixtureOfGaussians(2, num_components=3),
        "objective": objectives.ImportanceWeighted(3),
        "missing_process": missingness.LinearMasking(name="s"),
        "show_seen": True,
        "nan_is_missing": True,
        "seed": 7,
    },
    quantisers.VectorQuantised: lambda: {
        "num_codes": 5,
        "vector_size": 3,
        "update": "codebook_loss",
        "commitment_weight": 0.5,
        "decay": 0.9,
        "epsilon": 1e-3,
        "start": "normal",
        "restart_below": 0.5,
    },
    quantisers.FiniteScalar: lambda: {"levels": [3, 4]},
    quantisers.GumbelCodes: lambda: {
        "num_codes": 5,
        "vector_size": 3,
        "temperature": 0.5,
        "kl_weight": 0.5,
    },
    tfvae.VQVAE: lambda: {
        "network": networks.ResidualConv([2], name="f"),
        "quantiser": quantisers.FiniteScalar([3, 4], name="c"),
        "decoder": decoder(name="p"),
        "seed": 7,
    },
    tfvae.CodeLevel: lambda: {
        "upward": networks.ResidualConv([2], name="u"),
        "quantiser": quantisers.FiniteScalar([3, 4], name="c"),
        "downward": networks.ResidualConvTranspose([2], [4, 4], name="d"),
    },
    tfvae.VQVAE2: lambda: {
        "network": networks.ResidualConv([2], name="f"),
        "quantiser": quantisers.FiniteScalar([3, 4], name="c"),
        "decoder": decoder(name="p"),
        "levels": [code_level()],
        "seed": 7,
    },
    tfvae.LevelsPixelCNN: lambda: {
        "conditionals": networks.PixelSNAIL(5, filters=8, name="c"),
        "event_shape": [20],
        "top_shape": [2, 2],
        "below": [networks.GatedPixelCNN(5, filters=4, name="b")],
        "conditions": {"label": tfvae.Field.label(3)},
        "seed": 7,
    },
    tfvae.PixelCNN: lambda: {
        "conditionals": networks.PixelSNAIL(5, filters=8, name="c"),
        "event_shape": [4, 4, 1],
        "conditions": {"label": tfvae.Field.label(3), "map": tfvae.Field((4, 4, 2))},
        "seed": 7,
    },
    tfvae.VAE: lambda: {
        "encoder": encoder(name="q"),
        "decoder": decoder(name="p"),
        "prior": priors.MixtureOfGaussians(2, 3),
        "objective": objectives.ELBO(kl_weight=2.0),
        "corruption": corruptions.SaltAndPepper(rate=0.5, low=0.25, high=0.75),
        "weight_scale": 2.0,
        "weight_posterior": "mean_field",
        "seed": 7,
    },
}
IDS = [constructor.__name__ for constructor in ARGUMENTS]


def public_layers():
    """What users compose and Keras saves."""
    for area in AREAS:
        package = importlib.import_module(f"tfvae.{area}")
        for name in package.__all__:
            value = getattr(package, name)
            if inspect.isclass(value) and issubclass(value, keras.layers.Layer):
                yield value


def signature(constructor):
    """Argument -> its description, those included that `**kwargs` hands on to a base class."""
    return signatures.read_signature(
        f"{constructor.__module__}:{constructor.__qualname__}"
    ).arguments


def plain(value):
    """Lists for tuples, and parts as their configuration."""
    if isinstance(value, keras.layers.Layer | corruptions.Corruption):
        return keras.saving.serialize_keras_object(value)
    if isinstance(value, tfvae.Field):
        return value.get_config()
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    return list(map(plain, value)) if isinstance(value, tuple | list) else value


def test_every_public_constructor_is_here():
    found = {value for value in public_layers() if value.__name__ not in BASES}
    assert found == set(ARGUMENTS)


@pytest.mark.parametrize("constructor", ARGUMENTS, ids=IDS)
def test_the_table_names_every_argument(constructor):
    assert set(signature(constructor)) == set(ARGUMENTS[constructor]())


@pytest.mark.parametrize("constructor", ARGUMENTS, ids=IDS)
def test_get_config_returns_what_was_given_and_makes_it_again(constructor):
    given = ARGUMENTS[constructor]()
    made = constructor(**given, name="of_its_own")
    config = made.get_config()
    for argument, value in given.items():
        default = signature(constructor)[argument].default
        assert plain(value) != plain(default), f"{argument} is the default: nothing is tested"
        assert plain(config[argument]) == plain(value), argument
    assert config["name"] == "of_its_own"
    again = constructor.from_config(config)
    assert type(again) is constructor
    assert again.get_config() == config


def test_callbacks_keep_what_they_are_given_where_it_can_be_read():
    """Keras does not save callbacks; a run makes them anew from its settings."""
    given = {
        callbacks.LinearWeight: {"epochs": 3, "start": 0.5, "end": 2.0, "term": "kl"},
        callbacks.LinearCapacity: {"epochs": 3, "capacity": 2.0, "start": 0.5},
        callbacks.CyclicalWeight: {
            "epochs": 8,
            "num_cycles": 2,
            "rise": 0.25,
            "end": 2.0,
            "term": "kl",
        },
        callbacks.LatentDiagnostics: {"examples": np.zeros((2, *SHAPE)), "every": 5, "seed": 3},
    }
    for constructor, arguments in given.items():
        assert set(signature(constructor)) == set(arguments)
        made = constructor(**arguments)
        for name, value in arguments.items():
            assert getattr(made, name) is value or getattr(made, name) == value, name
