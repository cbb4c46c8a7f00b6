"""A model with two levels of z."""

import keras

from tests.extension.members.assembled import Assembled
from tests.extension.members.proposal import Levels
from tfvae.data.fields import Field
from tfvae.heads import MultivariateNormalDiag
from tfvae.inference.inference import Inference, Joint
from tfvae.models import Decoder
from tfvae.networks import MLP


@keras.saving.register_keras_serializable("stranger")
class TwoLevels(Assembled):
    """p(z2) p(z1|z2) p(x|z1), with q(z1|x) q(z2|z1); z2 has the prior's size."""

    def __init__(self, encoder, decoder, prior, objective, seed=None, **kwargs):
        parts = {"encoder": encoder, "decoder": decoder, "prior": prior, "objective": objective}
        super().__init__(parts, seed, **kwargs)
        z1, z2 = map(MultivariateNormalDiag, (encoder.head.latent_size, prior.latent_size))
        self.upward = Decoder(MLP([16]), z2, name="upward")  # of codes, as p(x|z) is
        self.downward = Decoder(MLP([16]), z1, name="downward")

    def fields(self):
        return {"x": Field(self.decoder.event_shape, interval=self.decoder.head.interval)}

    def infer(self, batch, training=False):
        def joint(z):
            p_z2, p_z1 = self.prior(), self.downward(z["z2"])
            p_x = self.decoder(z["z1"], training=training)
            log_prior = p_z2.log_prob(z["z2"]) + p_z1.log_prob(z["z1"])
            return Joint(p_x.log_prob(batch["x"]), log_prior, p_x.mean())

        first = self.encoder(batch["x"], training=training)
        return Inference(Levels(self.encoder.head, first, self.upward), joint)

    def encode(self, batch):
        z1 = self.encoder.head.code(self.encoder(batch["x"]))
        return {"z1": z1, "z2": self.upward.head.code(self.upward(z1))}

    def encoder_outputs(self, batch):
        return self.encoder.head.outputs(self.encoder.parameters(batch["x"]))

    def decode(self, z, conditions):
        return self.decoder(z["z1"]).mean()

    def decoder_outputs(self, z, conditions):
        return self.decoder.head.outputs(self.decoder.parameters(z["z1"]))

    def generate(self, noise, conditions):
        z2 = self.prior.generate(noise.part(2))
        return {"z1": self.downward.head.draw(self.downward(z2), noise.part(1)).z, "z2": z2}
