"""TFLite kernels compute in float32 (or 8 bits): a model trained in 16 bits is copied first."""

from typing import Any

from tfvae.data.fields import input_shapes

SIXTEEN_BITS = ("mixed_bfloat16", "mixed_float16", "bfloat16", "float16")


def in_float32(model: Any) -> Any:
    """The model itself, or a float32 copy of it if one of its layers computes in 16 bits.

    The copy has the same weights, which mixed precision keeps in float32, so its results differ
    from the original's by what the original's rounding cost.
    """
    if all(layer.compute_dtype not in SIXTEEN_BITS for layer in model._flatten_layers()):
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
    return "float32" if isinstance(config, str) and config in SIXTEEN_BITS else config
