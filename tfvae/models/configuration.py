"""Constructor arguments are the configuration: what is saved of a part, and what must not lack."""

import inspect
from typing import Any

import keras

from tfvae.errors import UserError

_AUTOMATIC = (keras.Operation, keras.layers.Layer, keras.Model)  # what was passed is noted

_OF_LAYERS = {"name", "dtype", "trainable", "activity_regularizer", "autocast"}


def serialize_part(part: keras.layers.Layer, owner_built: bool) -> dict[str, Any]:
    """Returns a part's configuration, for an owner whose `build` builds it.

    If the owner is built, Keras' note of how to build the part is left out: Keras would call its
    `build`, which a user's layer need not have, and outside of the owner, whose name would be
    missing in the paths of the weights.

    Raises:
        UserError: if its configuration is not that of its constructor.
    """
    check_config(part)
    config = keras.saving.serialize_keras_object(part)
    if owner_built:
        config.pop("build_config", None)
    return config


def check_config(layer: keras.layers.Layer) -> None:
    """Refuses a layer whose `get_config` lacks an argument of its constructor, or has others.

    Loaded again it would not be what was saved, or not load at all. Nothing is asked of classes of
    Keras, of those that bring a `from_config` of their own, and of those that leave both to Keras.
    """
    kind = type(layer)
    of_keras = "keras" in (_package(kind), _package(_owner(kind, "__init__")))
    if of_keras or _package(_owner(kind, "from_config")) not in ("keras", "tfvae"):
        return
    if _owner(kind, "get_config") in _AUTOMATIC:
        return
    config, own = layer.get_config(), list(_named(kind.__init__))
    lacking = [name for name in own if name not in config]
    if lacking:
        raise UserError(
            f"{kind.__name__}.get_config() lacks {', '.join(map(repr, lacking))}, which its "
            "constructor takes: the model would be loaded without. Define get_config(self): "
            f"return {{**super().get_config(), {lacking[0]!r}: self.{lacking[0]}}}."
        )
    surplus = set(config) - _accepted(kind)
    if surplus:
        raise UserError(
            f"{kind.__name__}.get_config() returns {', '.join(map(repr, sorted(surplus)))}, which "
            "its constructor does not take: the model could not be loaded. Let __init__ take "
            "**kwargs and hand them to super().__init__(..., **kwargs)."
        )


def _accepted(kind: type) -> set[str]:
    """The names of what a constructor takes: where it has `**kwargs`, what its parents do, too."""
    names: set[str] = set()
    for cls in (cls for cls in kind.__mro__ if "__init__" in vars(cls)):
        if _package(cls) == "keras":
            return names | _OF_LAYERS
        init = vars(cls)["__init__"]
        names |= set(_named(init))
        arguments = inspect.signature(init).parameters.values()
        if all(argument.kind != argument.VAR_KEYWORD for argument in arguments):
            break
    return names


def _named(init: Any) -> list[str]:
    """The names of arguments, without `self`."""
    arguments = list(inspect.signature(init).parameters.values())[1:]
    return [a.name for a in arguments if a.kind in (a.POSITIONAL_OR_KEYWORD, a.KEYWORD_ONLY)]


def _owner(kind: type, method: str) -> type:
    """The class that a method is from."""
    return next(cls for cls in kind.__mro__ if method in vars(cls))


def _package(kind: type) -> str:
    return kind.__module__.split(".")[0]
