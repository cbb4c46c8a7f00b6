"""Several relaxed one-hot variables, as logarithms, side by side in one vector."""

import tensorflow as tf
import tensorflow_probability as tfp

tfd, tfb = tfp.distributions, tfp.bijectors


def relaxed_space(num_categories: int) -> str:
    """Returns what z of so many categories is, in words."""
    return f"logarithms of relaxed one-hot vectors of {num_categories} categories"


def log_concrete(logits: tf.Tensor, temperature: float) -> tfd.TransformedDistribution:
    """z = (z_1, .., z_M), z_m = log softmax((logits_m + Gumbel) / t), independent.

    Args:
        logits: `[..., M, C]`.
        temperature: t, above 0.

    Shapes: event `[M * C]`, batch that of the logits before M. The density is that of TFP's
        `ExpRelaxedOneHotCategorical`, by the Lebesgue measure of the C - 1 log-ratios z_c - z_C.
    """
    blocks, categories = logits.shape[-2:]
    relaxed = tfd.ExpRelaxedOneHotCategorical(temperature, logits=logits)
    flat = tfb.Reshape([blocks * categories], [blocks, categories])
    return tfd.TransformedDistribution(tfd.Independent(relaxed, 1), flat)


def parts_of(distribution: tfd.TransformedDistribution) -> tfd.ExpRelaxedOneHotCategorical:
    """Returns the relaxed variables that `log_concrete` has laid side by side."""
    return distribution.distribution.distribution
