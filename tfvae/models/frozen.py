"""Frozen layers stay frozen: when they are built, saved, loaded and cloned."""

from typing import Any

import keras

from tfvae.errors import UserError


class KeepsFrozen(keras.Model):
    """A model whose file remembers of each layer whether it is trainable.

    Keras saves `trainable` with the configuration of a layer, and a layer that makes others in its
    constructor, as encoders, heads and most networks do, has no place for theirs: loaded again,
    they would train.
    """

    def get_build_config(self) -> dict[str, Any] | None:
        """Returns what `build` was given, and which layers are trainable where not all are."""
        config = super().get_build_config()
        flags = [layer.trainable for layer in self._flatten_layers()]
        return config if config is None or all(flags) else {**config, "trainable": flags}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds all layers, and freezes those that were frozen.

        Keras would go on, with a warning, where `build` fails: without the weights of the file.

        Raises:
            UserError: if the model has other layers than the one that was saved, or it can't be
                built for what the file says.
        """
        if "input_shape" not in config:
            raise UserError(f"The saved {type(self).__name__} does not say what it was built for.")
        self.build(config["input_shape"])
        flags, layers = config.get("trainable"), list(self._flatten_layers())
        if flags is None:
            return
        if len(flags) != len(layers):
            raise UserError(
                f"The saved {type(self).__name__} had {len(flags)} layers and this one has "
                f"{len(layers)}, so which of them are frozen can't be said. Load it with the code "
                "that saved it."
            )
        # Owners come before what they own, and hand their own flag down.
        for layer, flag in zip(layers, flags, strict=True):
            if layer.trainable != flag:
                layer.trainable = flag

    def _post_build(self) -> None:
        # Keras calls this after `build`. Layers that a frozen one made in it are frozen, too.
        super()._post_build()
        for layer in self._flatten_layers():
            if not layer.trainable:
                layer.trainable = False
