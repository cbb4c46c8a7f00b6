"""What the codes of a model are: a vector or levels by name, exact or estimated.

Each answer is read off the code of one example, so it is right for whatever a model makes.
"""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from tfvae.data.fields import Field, required
from tfvae.distributions.moments import DRAWS, noting_draws
from tfvae.errors import UserTypeError
from tfvae.models.capabilities import Encodes, Generates, LaysOutCodes, Scores, can
from tfvae.noise import Noise


def zero_example(model: Any) -> dict[str, tf.Tensor]:
    """Returns a batch of one example, zeros in each required field."""
    fields = required(model.fields())
    return {name: tf.zeros([1, *f.shape], f.dtype) for name, f in fields.items()}


def code_example(model: Any) -> Any:
    """Returns the code of one example, of a model that encodes or generates."""
    example = zero_example(model)
    if isinstance(model, Encodes):
        return model.encode(example)
    return model.generate(Noise(0, row=tf.range(1)), model.given(example))


def vector_size(model: Any) -> int | None:
    """Returns D of a model whose z is one vector of D real numbers, which has lines; else None."""
    z: Any = code_example(model) if isinstance(model, Encodes | Generates) else None
    if not tf.is_tensor(z) or z.shape.rank != 2 or not z.dtype.is_floating:
        return None
    return z.shape[1]


def code_field(model: Any) -> Field | None:
    """Returns what the codes of a model are, for a further stage to learn; None of levels.

    Whole numbers have the interval that the model declares as `code_interval`, or any.
    """
    z = code_example(model)
    if not tf.is_tensor(z):
        return None
    interval = getattr(model, "code_interval", None) if z.dtype.is_integer else None
    return Field(tuple(z.shape[1:]), "int32" if z.dtype.is_integer else "float32", interval)


def has_real_codes(model: Any) -> bool:
    """Whether the codes of a model are real numbers, and no integers that stand for vectors."""
    return all(level.dtype.is_floating for level in tf.nest.flatten(code_example(model)))


def codes_by_level(model: Any, codes: Any) -> dict[str, Any]:
    """Returns codes by level, from the top down, of a model that lays them out; else as `z`."""
    return model.maps(codes) if isinstance(model, LaysOutCodes) else {"z": codes}


def code_draws(model: Any) -> int:
    """Returns how many draws each code is the mean of; 0 where it is known in closed form."""
    with noting_draws() as noted:
        model.encode(zero_example(model))
    return DRAWS if "mean" in noted else 0


def drawn_outputs(model: Any) -> str | None:
    """Returns what the outputs of a served encoder have from draws, in words, or None."""
    with noting_draws() as noted:
        outputs = model.encoder_outputs(zero_example(model))
    drawn = sorted(noted & set(outputs))
    return f"{' and '.join(drawn)} from {DRAWS} draws" if drawn else None


def from_draws(draws: int) -> str:
    """Returns what a title says behind "means": nothing of those in closed form."""
    return f" from {draws} draws" if draws else ""


def check_codes(model: Any) -> None:
    """Checks that codes are a tensor, or a dict of tensors: exported levels have names.

    Raises:
        UserTypeError: names the method that returns something else.
    """
    example, made = zero_example(model), {}
    noise = Noise(0, row=tf.range(1))
    if isinstance(model, Encodes):
        made["encode"] = model.encode(example)
    if can(model, Generates):
        made["generate"] = model.generate(noise, model.given(example))
    if isinstance(model, Encodes) and isinstance(model, Scores):
        made["infer().proposal.draw"] = model.infer(example).proposal.draw(noise).z
    for method, z in made.items():
        levels = z.items() if isinstance(z, Mapping) else [("z", z)]
        for name, level in levels:
            if not isinstance(name, str) or not tf.is_tensor(level):
                kind = type(z if level is z else level).__name__
                raise UserTypeError(
                    f"{type(model).__name__}.{method}() makes codes as a {kind}; exported levels "
                    'have names: use a tensor, or a dict of tensors such as {"z1": z1, "z2": z2}.'
                )
