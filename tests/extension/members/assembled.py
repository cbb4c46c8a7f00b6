"""A model of parts: their configuration, and the loss that is their objective's."""

import keras

from tfvae.models import LatentVariableModel


class Assembled(LatentVariableModel):
    """A model whose constructor takes its parts by name, among them an objective, and a seed."""

    def __init__(self, parts, seed=None, **kwargs):
        super().__init__(parts["objective"].names, seed=seed, **kwargs)
        self.part_names = tuple(parts)
        for name, part in parts.items():
            setattr(self, name, part)

    def get_config(self):
        save = keras.saving.serialize_keras_object
        parts = {name: save(getattr(self, name)) for name in self.part_names}
        return {**super().get_config(), **parts, "seed": self.seed}

    @classmethod
    def from_config(cls, config):
        return cls(**keras.saving.deserialize_keras_object(config))
