"""The conditional VAE against an exact log p(x|c), and what it refuses."""

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

import tfvae
from tests.models import linear_conditional as exact
from tests.models.tiny import IMAGES, SHAPE
from tfvae import Field, heads, networks, priors
from tfvae.errors import UserError, UserTypeError

LABEL = (np.arange(len(IMAGES)) % 3).astype("int32")
DATA = {"x": IMAGES, "label": LABEL}


def conditional(conditions=None, encoder=None, **options):
    return tfvae.ConditionalVAE(
        tfvae.Encoder(encoder or networks.MLP([8]), heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(networks.MLP([8]), heads.IndependentBernoulli(SHAPE)),
        {"label": Field.label(3)} if conditions is None else conditions,
        seed=5,
        **options,
    )


@pytest.fixture(scope="module")
def model():
    made = conditional()
    made.build((None, *SHAPE))
    made.compile("adam", jit_compile=False)
    return made


@pytest.fixture(scope="module")
def exact_model():
    return exact.exact_model()


def test_the_bound_of_the_exact_posterior_is_log_p(exact_model):
    """To float32: a wrong term of c in q, prior or likelihood would part them."""
    found = tfvae.evaluation.elbo(exact_model, exact.DATA, num_samples=500, seed=1)
    # The likelihood's share is estimated, from 500 draws: 4.5 standard errors.
    spread = np.sqrt(exact.VARIANCE) * np.linalg.norm(exact.W) / exact.T
    np.testing.assert_allclose(found.per_example, exact.LOG_P, atol=4.5 * 3 * spread / 500**0.5)
    assert found.mean == pytest.approx(exact.LOG_P.mean(), abs=0.1)


def test_importance_weights_of_the_exact_posterior_are_log_p(exact_model):
    """Every weight is p(x|c), so one draw does."""
    found = exact_model.log_likelihood(exact.DATA, num_samples=3, verbose=0)
    np.testing.assert_allclose(found.per_example, exact.LOG_P, atol=2e-4)
    np.testing.assert_allclose(found.effective_sample_size, 3.0, rtol=1e-3)


def test_a_wrong_label_is_another_density(exact_model):
    """The number would not move if c reached no part of the model."""
    other = {**exact.DATA, "label": (exact.LABEL + 1) % exact.CLASSES}
    found = exact_model.log_likelihood(other, num_samples=3, verbose=0)
    expected = [
        scipy.stats.multivariate_normal.logpdf(x, m, exact.COVARIANCE)
        for x, m in zip(exact.X, exact.mean(other["label"]), strict=True)
    ]
    np.testing.assert_allclose(found.per_example, expected, atol=5e-4)
    assert np.all(np.abs(found.per_example - exact.LOG_P) > 1e-2)


def test_samples_have_the_mean_of_their_class(exact_model):
    """E over z ~ p(z|c) of E[x|z, c], 4.5 standard errors of 4000 draws."""
    label = np.repeat(np.arange(exact.CLASSES), 4000)
    drawn = exact_model.sample(len(label), seed=2, label=label).numpy()
    means = drawn.reshape(exact.CLASSES, 4000, -1).mean(axis=1)
    error = exact.S * np.abs(exact.W) / np.sqrt(4000)
    assert np.all(np.abs(means - exact.mean(np.arange(exact.CLASSES))) < 4.5 * error)


def test_the_conditional_prior_equals_scipys(exact_model):
    z = np.linspace(-2, 2, exact.CLASSES)[:, None].astype("float32")
    given = {"label": tf.range(exact.CLASSES)}
    found = exact_model.prior_distribution(given).log_prob(z)
    np.testing.assert_allclose(
        found, scipy.stats.norm.logpdf(z[:, 0], exact.A, exact.S), rtol=1e-4, atol=1e-4
    )


def test_training_finds_the_pattern_of_each_class():
    rng = np.random.default_rng(0)
    patterns = rng.random((3, *SHAPE)) > 0.5
    label = rng.integers(0, 3, 96).astype("int32")
    x = (patterns[label] ^ (rng.random((96, *SHAPE)) < 0.1)).astype("float32")
    keras.utils.set_random_seed(1)
    model = conditional()
    model.compile(keras.optimizers.Adam(2e-2), jit_compile=False)
    model.fit({"x": x, "label": label}, batch_size=32, epochs=20, verbose=0)
    drawn = model.sample(3, seed=1, label=range(3)).numpy()
    distances = np.abs(drawn[:, None] - patterns[None]).mean(axis=(2, 3, 4))
    np.testing.assert_array_equal(distances.argmin(axis=1), np.arange(3))
    assert np.all(distances.min(axis=1) < 0.25)


def test_one_value_is_that_of_all_samples(model):
    each = model.sample(4, seed=1, label=[2, 2, 2, 2])
    np.testing.assert_array_equal(model.sample(4, seed=1, label=2), each)


def test_the_embedding_is_what_all_parts_see():
    """Of an embedding that forgets c, no label changes anything."""
    forgetting = keras.layers.Rescaling(0.0, name="forgetting")
    model = conditional(embedding=forgetting, prior=priors.ConditionalNormal(2, [4]))
    model.build((None, *SHAPE))
    first, second = (model.sample(2, seed=1, label=label) for label in (0, 1))
    np.testing.assert_array_equal(first, second)
    codes = [model.encode({**DATA, "label": np.full_like(LABEL, c)}) for c in (0, 1)]
    np.testing.assert_array_equal(*codes)
    assert set(model.shown({"label": tf.constant([1])})) == {"condition"}


def test_labels_need_not_begin_at_zero_and_other_whole_numbers_are_numbers():
    years = Field((), "int32", (1990, 1992))
    model = conditional({"year": years, "count": Field((2,), "int32", None)})
    shown = model.shown({"year": tf.constant([1991]), "count": tf.constant([[3, 4]])})
    np.testing.assert_array_equal(shown["year"], [[0, 1, 0]])
    np.testing.assert_array_equal(shown["count"], [[3.0, 4.0]])


@pytest.mark.parametrize(
    ("conditions", "error", "message"),
    [
        ({}, UserError, "no conditions.*--fields x,label"),
        ("label", UserTypeError, "expected fields by name"),
        ({"label": 10}, UserTypeError, "expected fields by name"),
        ({"x": Field.label(3)}, UserError, "name 'x'"),
        ({"z": Field.label(3)}, UserError, "name 'z'"),
        ({"label": Field((), optional=True)}, UserError, "'label' is optional"),
    ],
)
def test_conditions_that_are_none_are_refused(conditions, error, message):
    with pytest.raises(error, match=message):
        conditional(conditions)


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (LABEL + 3, r"\['label'\] has values from 3 to 5; expected whole numbers from 0 to 2"),
        (LABEL - 1, "values from -1"),
        (LABEL + 0.5, "dtype float64; expected whole numbers"),
        (LABEL[:-1], "different lengths"),
        (np.stack([LABEL, LABEL], 1), "rank 2"),
        (None, "lacks the field 'label'"),
    ],
)
def test_labels_that_do_not_fit_are_refused(model, label, message):
    data = {"x": IMAGES} if label is None else {"x": IMAGES, "label": label}
    for use in (model.fit, model.evaluate, model.predict, model.log_likelihood):
        with pytest.raises((ValueError, TypeError), match=message):
            use(data, verbose=0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "needs label="),
        ({"lable": 1}, "Did you mean 'label'"),
        ({"label": [0, 1]}, r"label of shape \(2,\); expected \(\), or \(3,\)"),
        ({"label": 3}, "values from 3 to 3"),
        ({"label": 0.5}, "dtype float64"),
    ],
)
def test_samples_of_conditions_that_do_not_fit_are_refused(model, given, message):
    with pytest.raises((ValueError, TypeError), match=message):
        model.sample(3, **given)


def test_images_alone_are_refused_by_name(model):
    with pytest.raises(UserError, match="lacks the field 'label'"):
        model.fit(IMAGES, verbose=0)
    with pytest.raises(UserError, match="label is missing"):
        model.decode(tf.zeros([2, 2]))
    with pytest.raises(UserTypeError, match="received one tensor; expected a dict of label, x"):
        model.encoder(IMAGES)


def test_a_network_of_one_tensor_is_refused_with_what_to_do():
    model = conditional(encoder=keras.Sequential([keras.layers.Flatten()]))
    with pytest.raises(UserError, match="SideBySide"):
        model.build((None, *SHAPE))


def test_a_prior_of_conditions_is_refused_without_any():
    model = tfvae.VAE(
        tfvae.Encoder(networks.MLP([8]), heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(networks.MLP([8]), heads.IndependentBernoulli(SHAPE)),
        prior=priors.ConditionalNormal(2),
    )
    with pytest.raises(UserError, match="takes a condition, and a VAE has none"):
        model.build((None, *SHAPE))


def test_a_file_of_fields_of_every_kind_loads(tmp_path):
    fields = {
        "label": Field.label(3),
        "table": Field((3,), interval=None, parts=(Field((1,)), Field((2,), interval=None))),
        "count": Field((), interval=(0.0, np.inf), spacing=1.0),
    }
    model = conditional(fields)
    model.build((None, *SHAPE))
    model.save(tmp_path / "model.keras")
    assert tfvae.load_model(tmp_path / "model.keras").conditions() == fields
