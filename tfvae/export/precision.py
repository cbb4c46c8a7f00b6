"""Models that compute in 16 bits, which TFLite kernels don't and comparisons must allow for."""

from typing import Any

from tfvae.data.fields import input_shapes

_SIXTEEN_BITS = ("mixed_bfloat16", "mixed_float16", "bfloat16", "float16")


def in_16_bits(model: Any) -> bool:
    """Whether one of a model's layers computes in 16 bits."""
    return any(layer.compute_dtype in _SIXTEEN_BITS for layer in model._flatten_layers())


def in_float32(model: Any) -> Any:
    """The model itself, or a float32 copy of it if one of its layers computes in 16 bits.

    The copy has the same weights, which mixed precision keeps in float32, so its results differ
    from the original's by what the original's rounding cost.
    """
    if not in_16_bits(model):
        return model
    copy = type(model).from_config(_replace_policies(model.get_config()))
    copy.build(input_shapes(model.fields()))
    copy.set_weights(model.get_weights())
    return copy


def _replace_policies(config: Any) -> Any:
    if isinstance(config, dict):
        return {key: _replace_policies(value) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return type(config)(_replace_policies(value) for value in config)
    return "float32" if isinstance(config, str) and config in _SIXTEEN_BITS else config
