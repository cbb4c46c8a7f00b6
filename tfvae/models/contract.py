"""What a subclass gives, checked when the model is made and built; each mistake is named."""

import inspect
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tfvae.errors import UserError, UserTypeError
from tfvae.heads.base import Head
from tfvae.objectives.base import Nats, Objective
from tfvae.priors.base import Prior
from tfvae.suggestions import nearest


def check_methods(model: keras.Model, base: type[keras.Model], scores: bool) -> None:
    """Refuses a model whose class lacks what `base` leaves to it, or has it with other arguments.

    Args:
        model: as its constructor begins.
        base: `LatentVariableModel`.
        scores: whether the model infers, so that an objective makes its terms.
    """
    own, kind = type(model), type(model).__name__
    if own.fields is base.fields:
        raise UserError(
            f"{kind} is a {base.__name__} without fields(); define it, such as "
            '{"x": tfvae.data.Field((28, 28, 1))}: what one example holds, by name.'
        )
    if own.loss_terms is base.loss_terms and not scores:
        raise UserError(
            f"{kind} is a {base.__name__} without loss_terms(); define it, or "
            "infer() and give the model an objective."
        )
    taken = tuple(inspect.signature(own.loss_terms).parameters)
    if taken[2:] != ("training",):
        raise UserError(
            f"{kind}.loss_terms() takes ({', '.join(taken)}); expected (self, batch, training)."
        )


def checked_names(kind: str, names: Any) -> tuple[str, ...]:
    """Returns the names of terms, which are different words."""
    words = isinstance(names, Sequence) and not isinstance(names, str)
    if not words or not names or not all(isinstance(n, str) for n in names):
        raise UserTypeError(
            f"The names of the terms of {kind} are {names!r}; expected a tuple of words, such as "
            '("elbo", "nll", "kl"). An objective has them as an attribute or a property `names`.'
        )
    if len(set(names)) < len(names) or "loss" in names:
        raise UserError(
            f"The names of the terms of {kind} are {', '.join(names)}; expected each once, and not "
            "'loss', which is the name of their weighted sum."
        )
    return tuple(names)


def checked_nats(made_by: keras.layers.Layer, nats: Any, names: Sequence[str]) -> Nats:
    """Returns nats `[B]` or of the batch, if they have these very names.

    Args:
        made_by: the objective, or the model that has `loss_terms` of its own.
        nats: what it returned.
        names: those that the model was made with.

    Raises:
        UserError: names the class that made them.
    """
    kind = type(made_by).__name__
    method = "nats" if isinstance(made_by, Objective) else "loss_terms"
    if not isinstance(nats, Nats):
        raise UserTypeError(
            f"{kind}.{method}() returned a {type(nats).__name__}; expected "
            "tfvae.objectives.Nats(terms, reconstruction), terms a dict of nats by name."
        )
    found = {**nats.terms, **nats.watched, **nats.tallies}
    for name, value in found.items():
        if name not in names:
            raise UserError(
                f"{kind} reports {name!r}, which is none of the names that the model was made "
                f"with: {', '.join(names)}.{nearest(name, names)}"
            )
        if value.shape.rank is not None and value.shape.rank > 1:
            raise UserError(
                f"{kind} reports {name!r} of shape {value.shape}; expected [B], one number for "
                "each example, or a scalar of the batch. Axes of draws are averaged, those of an "
                "example summed."
            )
    missing = [name for name in names if name not in found]
    if missing:
        raise UserError(
            f"{kind} names {', '.join(missing)} and does not report it: it would be logged as 0. "
            f"Add it to the terms or to what is watched, or leave it out of the names."
        )
    return nats


def check_variables(model: keras.Model) -> None:
    """Refuses variables that Keras does not see, in the parts that this package asks for."""
    for layer in model._flatten_layers():
        if not isinstance(layer, Head | Prior | Objective) and layer is not model:
            continue
        for name, value in vars(layer).items():
            hidden = isinstance(value, tf.Variable)
            if hidden or (isinstance(value, tf.Module) and value.variables):
                raise UserError(
                    f"{type(layer).__name__}.{name} holds a tf.Variable, which Keras does not see: "
                    "it would neither be trained nor saved. Make it by self.add_weight(...), and "
                    "distributions of it anew in distribution()."
                )
