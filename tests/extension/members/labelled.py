"""A model that is given a label."""

from typing import Any

import keras

from tfvae.data.fields import Field
from tfvae.models import VAE


@keras.saving.register_keras_serializable("stranger")
class LabelledVAE(VAE):
    """p(z) p(x|z, label) and q(z|x, label), of networks that take a dict.

    Args:
        num_classes: Of the label.
    """

    def __init__(self, encoder, decoder, num_classes: int = 10, **kwargs: Any):
        super().__init__(encoder, decoder, **kwargs)
        self.num_classes = num_classes

    def conditions(self):
        return {"label": Field.label(self.num_classes)}

    def fields(self):
        return {**super().fields(), **self.conditions()}

    def encoder_inputs(self, batch):
        return dict(batch)

    def decoder_inputs(self, z, conditions):
        return {"z": z, **conditions}

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}
