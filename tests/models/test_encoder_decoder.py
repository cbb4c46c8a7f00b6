"""Encoder and decoder: folding of sample axes, any network, and what reaches it."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

import tfvae
from tfvae import heads, networks

tfd = tfp.distributions
RNG = np.random.default_rng(0)


def decoder(likelihood=heads.IndependentBernoulli, **options):
    return tfvae.Decoder(networks.MLP([6]), likelihood((4, 3, 1), **options))


@pytest.mark.parametrize(
    "make",
    [
        decoder,
        lambda: decoder(heads.IndependentNormal, scale=0.5),
        lambda: decoder(heads.IndependentNormal, scale="learned"),
    ],
    ids=["bernoulli", "normal", "normal_learned"],
)
@pytest.mark.parametrize("leading", [(5,), (2, 5), (3, 2, 5)])
def test_decoder_folds_and_unfolds_any_sample_axes(make, leading):
    z = RNG.normal(size=(*leading, 2)).astype("float32")
    model = make()
    likelihood = model(z)
    assert tuple(likelihood.batch_shape) == leading
    assert tuple(likelihood.event_shape) == (4, 3, 1)
    flat = model(z.reshape(-1, 2))
    x = RNG.random((5, 4, 3, 1)).round().astype("float32")
    np.testing.assert_allclose(
        likelihood.mean(), tf.reshape(flat.mean(), likelihood.mean().shape), atol=1e-6
    )
    one_by_one = [
        model(row).log_prob(x).numpy() for row in z.reshape(-1, 5, 2)
    ]  # one [B] batch at a time
    np.testing.assert_allclose(likelihood.log_prob(x), np.reshape(one_by_one, leading), rtol=1e-5)


@pytest.mark.parametrize("head", [heads.MultivariateNormalDiag, heads.MultivariateNormalTriL])
def test_encoder_folds_leading_axes_once_it_is_built(head):
    encoder = tfvae.Encoder(networks.MLP([6]), head(3))
    x = RNG.random((2, 5, 4, 3, 1)).astype("float32")
    encoder.build((None, 4, 3, 1))
    posterior = encoder(x)
    assert tuple(posterior.batch_shape) == (2, 5)
    np.testing.assert_allclose(
        posterior.covariance()[1], encoder(x[1]).covariance(), rtol=1e-5, atol=1e-6
    )
    assert isinstance(encoder(x[0]), type(posterior))


def test_the_batch_size_stays_free_in_a_graph():
    model = decoder()
    model.build((None, 2))
    traced = tf.function(
        lambda z: model(z).mean(), input_signature=[tf.TensorSpec((None, None, 2), tf.float32)]
    )
    for leading in ((1, 1), (4, 3)):
        assert traced(tf.zeros((*leading, 2))).shape == (*leading, 4, 3, 1)


class Watching(keras.layers.Layer):
    """Remembers what it was called with."""

    def build(self, input_shape):
        self.seen = []

    def call(self, inputs, training=None):
        if not isinstance(inputs, keras.KerasTensor):
            self.seen.append((training, inputs.dtype))
        return keras.ops.reshape(inputs, (-1, 12))

    def compute_output_shape(self, input_shape):
        return (None, 12)


@pytest.mark.parametrize("training", [True, False])
def test_training_reaches_the_network(training):
    network = Watching(name="watching")
    encoder = tfvae.Encoder(network, heads.MultivariateNormalDiag(2))
    encoder.build((None, 4, 3, 1))
    network.seen.clear()
    encoder(np.zeros((2, 4, 3, 1), "float32"), training=training)
    assert network.seen == [(training, tf.float32)]


def test_dropout_draws_in_training_and_rests_otherwise():
    dropout = keras.Sequential([keras.layers.Flatten(), keras.layers.Dropout(0.5, seed=1)])
    encoder = tfvae.Encoder(dropout, heads.MultivariateNormalDiag(2))
    x = np.ones((2, 4, 3, 1), "float32")
    rest = encoder(x).mean().numpy()
    np.testing.assert_array_equal(encoder(x, training=False).mean(), rest)
    drawn = [encoder(x, training=True).mean().numpy() for _ in range(2)]
    assert np.any(drawn[0] != rest)
    assert np.any(drawn[0] != drawn[1])


def test_a_network_that_is_no_layer_is_refused():
    for network in (lambda x: x, None, "mlp", tf.Module()):
        with pytest.raises(TypeError, match=r"network must be a keras Layer .*MLP.*received"):
            tfvae.Encoder(network, heads.MultivariateNormalDiag(2))
    with pytest.raises(TypeError, match=r"head must be a tfvae Head .*received"):
        tfvae.Encoder(networks.MLP([4]), keras.layers.Dense(3))


def test_a_network_that_does_not_fit_the_images_is_named():
    conv = tfvae.Encoder(
        networks.Conv([4], name="own_conv"), heads.MultivariateNormalDiag(2), name="my_encoder"
    )
    with pytest.raises(ValueError, match=r"my_encoder: the network 'own_conv' does not take") as e:
        conv.build((None, 8, 8))
    assert "(None, 8, 8)" in str(e.value)
    fixed = keras.Sequential(
        [keras.Input((7, 7, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    with pytest.raises(ValueError, match=r"does not take inputs of shape \(None, 8, 8, 1\)"):
        tfvae.Encoder(fixed, heads.MultivariateNormalDiag(2)).build((None, 8, 8, 1))


def test_a_network_that_returns_no_single_tensor_is_refused():
    x = keras.Input((8, 8, 1))
    flat = keras.layers.Flatten()(x)
    two = keras.Model(x, [flat, flat])
    with pytest.raises(TypeError, match=r"expected one tensor of features"):
        tfvae.Encoder(two, heads.MultivariateNormalDiag(2)).build((None, 8, 8, 1))


# --- Whole numbers ---------------------------------------------------------------------------


@keras.saving.register_keras_serializable("tests")
class Beside(keras.layers.Layer):
    """Numbers beside what an embedding makes of a label, which `tf.gather` wants whole."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.embedding = keras.layers.Embedding(4, 3, name="embedding")
        self.dense = keras.layers.Dense(5, name="dense")

    def call(self, inputs):
        numbers = inputs["x"] if "x" in inputs else inputs["z"]
        assert numbers.dtype == self.compute_dtype
        assert inputs["label"].dtype == "int32", "a label is no float"
        one_hot = tf.one_hot(inputs["label"], 4)
        flat = tf.reshape(numbers, [-1, numbers.shape[1:].num_elements()])
        return self.dense(tf.concat([flat, one_hot, self.embedding(inputs["label"])], axis=1))


@keras.saving.register_keras_serializable("tests")
class OfLabels(tfvae.VAE):
    """q(z|x, label) and p(x|z, label)."""

    def conditions(self):
        return {"label": tfvae.data.fields.Field.label(4)}

    def fields(self):
        return {**super().fields(), **self.conditions()}

    def encoder_inputs(self, batch):
        return dict(batch)

    def decoder_inputs(self, z, conditions):
        return {"z": z, **conditions}


LABELS = np.array([0, 3, 1, 2, 3, 0], "int32")


def of_labels():
    return OfLabels(
        tfvae.Encoder(Beside(), heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(Beside(), heads.IndependentBernoulli((4, 3, 1))),
    )


def test_labels_reach_both_networks_as_whole_numbers(tmp_path):
    model = of_labels()
    model.compile("adam", jit_compile=False)
    batch = {"x": np.zeros((6, 4, 3, 1), "float32"), "label": LABELS}
    model.fit(batch, batch_size=3, epochs=1, verbose=0)
    assert model.encoder.input_dtypes == {"x": "float32", "label": "int32"}
    assert model.decoder.input_dtypes == {"z": "float32", "label": "int32"}
    embeddings = model.encoder.network.embedding.embeddings
    before = embeddings.numpy()
    model.fit(batch, verbose=0)
    assert np.any(embeddings.numpy() != before), "it learns"
    model.log_likelihood(batch, num_samples=3, verbose=0)  # draws lead: labels are folded
    assert model.sample(4, seed=1, label=2).shape == (4, 4, 3, 1)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.reconstruct(batch), model.reconstruct(batch))


def test_an_encoder_alone_is_built_by_the_types_of_its_first_batch():
    batch = {"x": np.zeros((2, 3), "float32"), "label": np.array([0, 3], "int32")}
    encoder = tfvae.Encoder(Beside(), heads.MultivariateNormalDiag(2))
    mean = encoder(batch).mean()
    config = keras.saving.serialize_keras_object(encoder)
    again = keras.saving.deserialize_keras_object(config)
    assert again.built
    again.set_weights(encoder.get_weights())
    np.testing.assert_array_equal(again(batch).mean(), mean)


def test_whole_numbers_are_what_a_network_is_built_for():
    tokens = np.array([[0, 2, 1], [3, 3, 0]], "int32")
    encoder = tfvae.Encoder(
        keras.Sequential([keras.layers.Embedding(4, 3), keras.layers.Flatten()]),
        heads.MultivariateNormalDiag(2),
    )
    q = encoder(tokens)
    np.testing.assert_array_equal(encoder(tokens.astype("float32")).mean(), q.mean())
    assert encoder.input_dtypes == "int32"
    pixels = tfvae.Encoder(networks.MLP([4]), heads.MultivariateNormalDiag(2))
    pixels(np.zeros((2, 3), "uint8"))
    assert pixels.input_dtypes == "float32"


def test_a_likelihood_says_the_type_of_x():
    class Tokens(heads.IndependentBernoulli):
        event_dtype = "int32"
        interval = (0, 3)

    model = tfvae.VAE(
        tfvae.Encoder(networks.MLP([4]), heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(networks.MLP([4]), Tokens((3,))),
    )
    assert model.fields()["x"].dtype == "int32"
    model.build((None, 3))
    assert model.encoder.input_dtypes == "int32"
