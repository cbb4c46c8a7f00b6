"""From settings to a model, an optimiser and callbacks."""

from collections.abc import Sequence

import keras

from tfvae import heads, networks, objectives, priors
from tfvae.callbacks import LinearWeight
from tfvae.models import VAE, Decoder, Encoder
from tfvae.runs import groups
from tfvae.runs.config import Config


def build(config: Config, image_shape: Sequence[int]) -> VAE:
    """The built model of a run, with fresh weights from Keras' global seed.

    Args:
        config: The settings; "auto" must be resolved.
        image_shape: `(H, W, C)`.
    """
    model, image_shape = config.model, tuple(image_shape)
    policy = config.training.dtype_policy
    encoder, decoder = _networks(model, image_shape, policy)
    vae = VAE(
        encoder=Encoder(encoder, _posterior(model), name="encoder"),
        decoder=Decoder(decoder, _likelihood(model, image_shape), name="decoder"),
        prior=_prior(model),
        objective=_objective(config.objective),
        seed=config.training.seed,
        name="vae",
    )
    vae.build((None, *image_shape))
    return vae


def optimizer(training: groups.Training, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """Adam as the settings describe it."""
    rate = training.learning_rate
    if training.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(
            rate, training.epochs * steps_per_epoch, alpha=training.final_learning_rate
        )
    return keras.optimizers.Adam(rate, epsilon=training.epsilon)


def callbacks(objective: groups.Objective) -> list[keras.callbacks.Callback]:
    """What changes while training."""
    if not objective.kl_warmup_epochs:
        return []
    return [LinearWeight(objective.kl_warmup_epochs, end=objective.kl_weight)]


def _networks(
    model: groups.Model, image_shape: tuple[int, ...], policy: str
) -> tuple[keras.layers.Layer, keras.layers.Layer]:
    """The encoder's network and its mirror image."""
    common = {"activation": model.activation, "dtype": policy}
    dense = [
        networks.MLP(units, name=f"{side}_mlp", **common) if units else None
        for side, units in (("encoder", model.units), ("decoder", model.units[::-1]))
    ]
    if model.network == "mlp":
        return dense[0], dense[1]
    kernels = {"kernel_size": model.kernel_size, **common}
    conv = networks.Conv(model.filters, name="encoder_conv", **kernels)
    back = networks.ConvTranspose(
        model.filters[::-1], image_size=image_shape[:2], name="decoder_conv", **kernels
    )
    return _chain("encoder_network", conv, dense[0]), _chain("decoder_network", dense[1], back)


def _chain(name: str, *layers: keras.layers.Layer | None) -> keras.layers.Layer:
    present = [layer for layer in layers if layer is not None]
    return present[0] if len(present) == 1 else keras.Sequential(present, name=name)


def _posterior(model: groups.Model) -> heads.Head:
    kinds = {"diag": heads.MultivariateNormalDiag, "tril": heads.MultivariateNormalTriL}
    return kinds[model.posterior](model.latent_size, name="posterior")


def _likelihood(model: groups.Model, image_shape: tuple[int, ...]) -> heads.Head:
    if model.likelihood == "bernoulli":
        return heads.IndependentBernoulli(image_shape, name="likelihood")
    return heads.IndependentNormal(image_shape, scale=model.likelihood_scale, name="likelihood")


def _prior(model: groups.Model) -> priors.Prior:
    if model.prior == "mixture":
        return priors.MixtureOfGaussians(model.latent_size, model.mixture_components, name="prior")
    return priors.StandardNormal(model.latent_size, name="prior")


def _objective(objective: groups.Objective) -> objectives.Objective:
    if objective.objective == "importance_weighted":
        return objectives.ImportanceWeighted(
            objective.num_samples, gradient=objective.gradient, name="objective"
        )
    return objectives.ELBO(
        kl_weight=objective.kl_weight,
        num_samples=objective.num_samples,
        free_bits=objective.free_bits,
        name="objective",
    )
