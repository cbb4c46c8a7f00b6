"""The vector-quantised variational autoencoder: codes are integers."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from tfvae.checks import instance_of
from tfvae.data.fields import Field
from tfvae.distributions.draws import NoTemperatureError
from tfvae.errors import UserError, UserTypeError
from tfvae.models.autoencoding import NOTHING
from tfvae.models.base import LatentVariableModel
from tfvae.models.capabilities import Batch
from tfvae.models.codes import zero_example
from tfvae.models.configuration import serialize_part
from tfvae.models.encoder_decoder import Decoder
from tfvae.noise import Noise, training_noise
from tfvae.objectives.base import Nats
from tfvae.quantisers.base import Quantised, Quantiser, code_counts
from tfvae.training.replicas import own_rows


@keras.saving.register_keras_serializable("tfvae")
class VQVAE(LatentVariableModel):
    """c = quantiser(f(x)), P codes of K;  loss = -log p(x|c) + the quantiser's terms.

        elbo = log p(x|c) - P log K  <=  log p(x) = log sum_c p(c) p(x|c),   p(c) = K^-P

    Choose it over a `VAE` where codes are to be few, discrete and laid out as the image is: a
    second stage then learns p(c), and takes the place of the uniform prior, under which samples
    look like nothing. q(c|x) is a point mass, so the bound above holds for every x, and
    KL(q || p) = P log K is a constant: it is logged as `kl`, what the codes cost at K to the
    alphabet, and is no term of the loss. A prior that is learned can make the bound tighter; of
    held-out data it need not.

    Logged: `elbo`, `nll`, `kl`, the quantiser's terms (`commitment`, ...), unweighted, nats an
    example but for squared distances; and `perplexity`, exp of the entropy of the codes that an
    epoch used, at most K. While training, `GumbelCodes` draws c: the bound is that of its draw.

    Args:
        network: f, any Keras layer or model from x to features `[B, ..., F]`, such as
            `networks.ResidualConv([32, 64])`: a code for each place of the features.
        quantiser: One of `tfvae.quantisers`.
        decoder: p(x|c), `Decoder(network, head)`, whose network takes the vectors `[B, ..., D]`
            that the codes stand for, such as `networks.ResidualConvTranspose`.
        seed: Of what the quantiser draws while training, and of samples that are given no seed.
            None (default): `keras.utils.set_random_seed` governs them.
        **kwargs: Keras model arguments.

    Shapes: x `[B, *event]` -> reconstruction of the same shape; codes int32 `[B, ...]`, of images
        `[B, h, w]`, from 0 to K - 1. `decode` refuses others in one line where it is called in
        Python, and a served file with an error; in a TFLite file the runtime refuses them, but
        for those of `FiniteScalar` with more than 65,536 codes, for which others stand.

    Raises:
        UserTypeError: if a part is of the wrong kind.
        UserError: if the network's features are no vectors at places, or codes are out of range.

    Example:
        >>> import numpy as np
        >>> from tfvae import heads, networks, quantisers
        >>> model = VQVAE(
        ...     networks.ResidualConv([8, 16]),
        ...     quantisers.VectorQuantised(num_codes=16, vector_size=4),
        ...     Decoder(
        ...         networks.ResidualConvTranspose([16, 8], (8, 8)),
        ...         heads.IndependentBernoulli((8, 8, 1)),
        ...     ),
        ... )
        >>> model.compile("adam")
        >>> history = model.fit(np.zeros((32, 8, 8, 1), "float32"), verbose=0)
        >>> model.encode(np.zeros((5, 8, 8, 1), "float32")).shape
        (5, 2, 2)

    References:
        A. van den Oord, O. Vinyals, K. Kavukcuoglu, 2017, "Neural Discrete Representation
        Learning", arXiv:1711.00937, sections 3.1 and 3.2. Departure: distances are summed over
        positions, as log p(x|c) is over pixels, so that beta weighs the same against nats.
    """

    remedies: ClassVar[dict[str, str]] = {
        "Scores": "Its codes have no posterior to draw from: evaluate() reports a bound of "
        "log p(x), under a uniform prior of codes.",
    }

    def __init__(
        self,
        network: keras.layers.Layer,
        quantiser: Quantiser,
        decoder: Decoder,
        seed: int | None = None,
        **kwargs: Any,
    ):
        hint = "tfvae.networks.ResidualConv([32, 64]), or any Keras layer or model"
        instance_of("network", network, keras.layers.Layer, hint)
        instance_of("quantiser", quantiser, Quantiser, "see tfvae.quantisers")
        instance_of("decoder", decoder, Decoder, "tfvae.Decoder(network, head)")
        super().__init__(("elbo", "nll", "kl", *quantiser.term_factors), seed=seed, **kwargs)
        self.track_codes("perplexity", quantiser.num_codes)
        self.network, self.quantiser, self.decoder = network, quantiser, decoder
        self.code_shape: tuple[int, ...] = ()
        self.code_interval = (0, quantiser.num_codes - 1)
        for term, factor in quantiser.term_factors.items():
            self.add_term_weight(term, factor)

    @property
    def num_codes(self) -> int:
        """K, the number of codes."""
        return self.quantiser.num_codes

    def fields(self) -> dict[str, Field]:
        """Returns x: of the decoder's shape, within the likelihood's support."""
        return {"x": self.decoder.head.field}

    @property
    def discrete(self) -> bool:
        """Whether the likelihood is of bits, levels or counts."""
        return self.decoder.head.discrete

    def build(self, input_shape: Any) -> None:
        """Builds every part for examples of this shape, `(None, *event)`."""
        if isinstance(input_shape, Mapping):
            input_shape = input_shape["x"]
        self.decoder.checked_examples(input_shape)
        features = self.features(zero_example(self))
        if features.shape.rank is None or features.shape.rank < 2:
            raise UserError(
                f"{self.name}: the network {self.network.name!r} returns shape {features.shape}; "
                "expected features [B, ..., F], a vector at each place that is to have a code."
            )
        found = self.quantised_features(features)
        self.code_shape, vectors = tuple(found.indices.shape[1:]), found.vectors
        self.decoder.code_axes = vectors.shape.rank - 1
        if not self.decoder.built:
            self.decoder.build_for(vectors)
        self.check_terms()

    @property
    def asks_for_first_batch(self) -> bool:
        """Whether codes begin at the vectors of the first batch."""
        return self.quantiser.starts_at_data

    def check_first_batch(self, rows: int) -> None:
        """Refuses a first batch of too few vectors to begin with."""
        self.quantiser.check_start(rows * math.prod(self.code_shape))

    def features(self, batch: Batch, training: bool = False) -> tf.Tensor:
        """Returns the network's features, float32 `[B, ..., F]`."""
        return tf.cast(self.network(batch["x"], training=training), tf.float32)

    def quantised(self, batch: Batch, training: bool = False) -> Quantised:
        """Returns the codes of a batch; in training the quantiser learns of it."""
        features = self.features(batch, training)
        if not training:
            return self.quantised_features(features)
        rows = own_rows(batch)
        noise = training_noise(self.next_seed(), 1, rows.computed, rows.first)
        return self.quantised_features(features, noise, rows.count, training=True)

    def quantised_features(
        self,
        features: tf.Tensor,
        noise: Noise | None = None,
        num_rows: Any = None,
        training: bool = False,
    ) -> Quantised:
        """Returns the codes of features, and the vectors that the decoder takes.

        The arguments are those of `Quantiser.call`.
        """
        return self.quantiser(features, noise=noise, num_rows=num_rows, training=training)

    def lookup(self, z: tf.Tensor) -> tf.Tensor:
        """Returns what the decoder takes for codes `[..., *code_shape]`."""
        return self.quantiser.lookup(z)

    def code_tallies(self, z: tf.Tensor, num_rows: Any) -> dict[str, tf.Tensor]:
        """Returns how often each code occurs, by the name of the perplexity that it makes."""
        return {"perplexity": code_counts(z, self.num_codes, num_rows)}

    def loss_terms(self, batch: Batch, training: bool) -> Nats:
        """Returns -log p(x|c), the quantiser's terms, and what is only watched."""
        found = self.quantised(batch, training)
        likelihood = self.decoder(found.vectors, training=training)
        nll = -self.decoder.head.log_prob_of(likelihood, batch["x"])
        kl = tf.fill(tf.shape(nll), np.float32(self.code_nats))
        return Nats(
            {"nll": nll, **found.terms},
            likelihood.mean(),
            watched={"elbo": -nll - kl, "kl": kl},
            tallies=self.code_tallies(found.indices, own_rows(batch).count),
        )

    @property
    def code_nats(self) -> float:
        """P log K, what the codes of an example cost under a uniform prior."""
        return math.prod(self.code_shape) * math.log(self.num_codes)

    def encoding_layers(self) -> list[keras.layers.Layer]:
        """Returns the network and the quantiser."""
        return [self.network, self.quantiser]

    def encode(self, batch: Any, batch_size: int = 128, verbose: int = 0) -> Any:
        """Returns the codes, int32 `[B, ...]`.

        Args:
            batch: Tensors by field, at once. Anything else that `fit` takes, arrays and data sets,
                goes in batches and gives an array.
            batch_size: Examples at once, of arrays and data sets.
            verbose: 1 shows a progress bar of these.
        """
        if not isinstance(batch, Mapping) or not all(map(tf.is_tensor, batch.values())):
            return self.codes(batch, batch_size=batch_size, verbose=verbose)
        return self.quantised(batch).indices

    def encoder_outputs(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Returns the codes, by the name that `decode` takes them by."""
        return {"z": self.quantised(batch).indices}

    def decode(self, z: tf.Tensor, conditions: Batch = NOTHING) -> tf.Tensor:
        """Returns E[x|c] of codes `[..., *code_shape]`.

        Raises:
            UserTypeError: called directly, for codes that are no whole numbers.
            UserError: called directly, for codes that are none of the K, or of another shape.
        """
        return self.decoder(self.decoder_inputs(z)).mean()

    def decoder_outputs(self, z: tf.Tensor, conditions: Batch = NOTHING) -> dict[str, tf.Tensor]:
        """Returns the likelihood's parameters, and what its head makes of them."""
        return self.decoder.head.outputs(self.decoder.parameters(self.decoder_inputs(z)))

    def decoder_inputs(self, z: tf.Tensor, conditions: Batch = NOTHING) -> tf.Tensor:
        """Returns what the decoder takes: the vectors that codes stand for."""
        if tf.executing_eagerly():
            self._check_codes(np.asarray(z))
        return self.lookup(tf.convert_to_tensor(z))

    def _check_codes(self, z: np.ndarray) -> None:
        axes = len(self.code_shape)
        if not np.issubdtype(z.dtype, np.integer):
            raise UserTypeError(f"Codes are whole numbers (int32); received {z.dtype}.")
        if z.shape[z.ndim - axes :] != self.code_shape:
            raise UserError(
                f"Codes of {self.name} have shape [..., {', '.join(map(str, self.code_shape))}]; "
                f"received {z.shape}."
            )
        if z.size and not (z.min() >= 0 and z.max() < self.num_codes):
            raise UserError(
                f"Codes of {self.name} are from 0 to {self.num_codes - 1}; received values "
                f"between {z.min()} and {z.max()}."
            )

    def generate(self, noise: Noise, conditions: Batch = NOTHING) -> tf.Tensor:
        """Returns codes of the uniform prior, int32 `[*leading, *code_shape]`.

        Raises:
            NoTemperatureError: for a temperature other than 1: the prior has no scale.
        """
        if noise.temperature is not None:
            raise NoTemperatureError(
                "Integer codes have no scale that a temperature could be a factor on: the "
                "temperature must be 1."
            )
        uniform = noise.uniform(math.prod(self.code_shape))
        codes = tf.minimum(tf.cast(uniform * self.num_codes, tf.int32), self.num_codes - 1)
        return tf.reshape(codes, tf.concat([tf.shape(codes)[:-1], self.code_shape], axis=0))

    def emit(self, noise: Noise, z: tf.Tensor, conditions: Batch = NOTHING) -> tf.Tensor:
        """Returns x ~ p(x|c) of codes, as the noise says."""
        return self.decoder.head.draw(self.decoder(self.decoder_inputs(z)), noise).z

    def adapt(self, mean: Any) -> None:
        """Starts the decoder at the mean of the training data; see `LikelihoodHead.adapt`."""
        self.decoder.head.adapt(mean)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        parts = {name: getattr(self, name) for name in ("network", "quantiser", "decoder")}
        serialized = {name: serialize_part(part, self.built) for name, part in parts.items()}
        return {**super().get_config(), **serialized}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "VQVAE":
        """Creates one from `get_config`."""
        read = keras.saving.deserialize_keras_object
        parts = {n: read(config[n], custom_objects) for n in ("network", "quantiser", "decoder")}
        return cls(**{**config, **parts})
