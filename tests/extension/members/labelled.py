"""A model that is given a label."""

from typing import Any

import keras

from tfvae.data.fields import Field
from tfvae.inference.inference import Inference, Joint
from tfvae.inference.proposal import Posterior
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

    def build(self, input_shape):
        if not self.encoder.built:
            self.encoder.build({"x": (None, *self.decoder.event_shape), "label": (None,)})
            self.decoder.build({"z": (None, self.latent_size), "label": (None,)})
        super().build(input_shape)

    def conditions(self):
        return {"label": Field.label(self.num_classes)}

    def fields(self):
        return {**super().fields(), **self.conditions()}

    def infer(self, batch, training=False):
        posterior, prior = self.encoder(dict(batch), training=training), self.prior()

        def joint(z):
            p_x = self.decoder({"z": z, "label": batch["label"]}, training=training)
            return Joint(p_x.log_prob(batch["x"]), prior.log_prob(z), p_x.mean())

        return Inference(Posterior(self.encoder.head, posterior, prior), joint)

    def encode(self, batch):
        return self.encoder.head.code(self.encoder(dict(batch)))

    def features(self, batch):
        return self.encoder.features(dict(batch))

    def decode(self, z, conditions):
        return self.decoder({"z": z, **conditions}).mean()

    def decoder_outputs(self, z, conditions):
        return self.decoder.head.outputs(self.decoder.parameters({"z": z, **conditions}))

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}
