"""Every estimator of a gradient against the exact one, of six bits and of a linear Gaussian model.

`pytest -n 0 -s tests/objectives/test_gradients.py -k exact` prints the variance of each.
"""

import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from tests.objectives import enumerable, linear_gaussian
from tfvae.errors import UserError
from tfvae.inference.inference import Inference
from tfvae.objectives import ELBO, ImportanceWeighted
from tfvae.objectives.gradients import without_each

ROWS = 20_000
SCORE = {"gradient": "score_function"}
ON_BITS = {
    "ELBO, closed KL, no baseline": (ELBO(**SCORE, baseline=False), 1, 1.0),
    "ELBO, closed KL": (ELBO(**SCORE), 1, 1.0),
    "ELBO, drawn KL, no baseline": (ELBO(**SCORE, baseline=False, analytic_kl=False), 1, 1.0),
    "ELBO, drawn KL": (ELBO(**SCORE, analytic_kl=False), 1, 1.0),
    "ELBO of 3 draws": (ELBO(**SCORE, num_samples=3, analytic_kl=False), 1, 1.0),
    "beta 2, closed KL": (ELBO(**SCORE, kl_weight=2.0), 1, 2.0),
    "beta 2, drawn KL": (ELBO(**SCORE, kl_weight=2.0, analytic_kl=False), 1, 2.0),
    "IW 1, NVIL": (ImportanceWeighted(1, **SCORE), 1, 1.0),
    "IW 2, no baseline": (ImportanceWeighted(2, **SCORE, baseline=False), 2, 1.0),
    "IW 2, NVIL": (ImportanceWeighted(2, **SCORE), 2, 1.0),
    "IW 2, VIMCO": (ImportanceWeighted(2, gradient="vimco"), 2, 1.0),
    "IW 3, VIMCO": (ImportanceWeighted(3, gradient="vimco"), 3, 1.0),
}


def settled(objective):
    """With a baseline that has seen the mean of the signal, as after some steps."""
    if objective.signal_baseline is not None:
        enumerable.estimated_gradients(objective, 2)  # makes its weights
        objective.signal_baseline.center.assign(enumerable.exact_gradient(1)[0])
    return objective


@pytest.mark.parametrize("name", ON_BITS)
def test_the_mean_of_an_estimator_is_the_exact_gradient(name):
    """4.5 standard errors of 20,000 independent estimates, at each of 36 parameters."""
    objective, num_samples, kl_weight = ON_BITS[name]
    _, exact = enumerable.exact_gradient(num_samples, kl_weight)
    found = -enumerable.estimated_gradients(settled(objective), ROWS).astype("float64")
    error = found.std(axis=0) / np.sqrt(ROWS)
    assert np.all(np.abs(found.mean(axis=0) - exact) < 4.5 * error + 1e-5)
    assert np.sum(np.abs(exact) > 6 * error) > 20, "else the comparison would show nothing"
    print(f"{name}: variance {found[:, : enumerable.D].var(axis=0).sum():.4f} (encoder)")


def variance(objective):
    found = enumerable.estimated_gradients(settled(objective), 4000)
    return found[:, : enumerable.D].var(axis=0).sum()


def test_baselines_lower_the_variance():
    bare, nvil, vimco = (
        variance(ImportanceWeighted(5, **options))
        for options in ({**SCORE, "baseline": False}, SCORE, {"gradient": "vimco"})
    )
    assert nvil < 0.5 * bare
    assert vimco < 0.5 * nvil


def test_a_draw_without_each_is_replaced_by_the_geometric_mean_of_the_others():
    log_weights = np.random.default_rng(0).normal(size=(4, 3)) * 30.0
    for k in range(4):
        others = np.delete(log_weights, k, axis=0)
        replaced = np.concatenate([others, others.mean(axis=0, keepdims=True)])
        expected = scipy.special.logsumexp(replaced, axis=0) - np.log(4)
        np.testing.assert_allclose(without_each(tf.constant(log_weights))[k], expected, rtol=1e-12)


# --- Where there is a path ---------------------------------------------------------------------


def gaussian_gradients(objective, rows=ROWS, at_optimum=False):
    """Of minus the bound by the mean and the scale of q, of image 0: `[rows, 2 D]`."""
    loc, scale = linear_gaussian.LOC[0], linear_gaussian.SCALE
    if at_optimum:
        loc = linear_gaussian.TRUE_LOC[0]
    loc = tf.Variable(np.repeat(loc[np.newaxis], rows, axis=0).astype("float32"))
    scale = tf.Variable(np.repeat(scale[np.newaxis], rows, axis=0).astype("float32"))
    x = tf.repeat(tf.constant(linear_gaussian.X[:1], tf.float32), rows, axis=0)

    @tf.function
    def compute():
        with tf.GradientTape() as tape:
            q = linear_gaussian.tfd.MultivariateNormalDiag(
                tf.convert_to_tensor(loc), tf.convert_to_tensor(scale)
            )
            nats = objective.nats(linear_gaussian.inference(q, x=x))
            loss = tf.add_n(
                [tf.reduce_sum(nats.surrogates.get(n, v)) for n, v in nats.terms.items()]
            )
        return tape.gradient(loss, [loc, scale])

    return np.concatenate([g.numpy() for g in compute()], axis=1).astype("float64")


def exact_gaussian_gradient(step=1e-5):
    found = []
    for shift in step * np.eye(2 * linear_gaussian.D):
        loc, scale = np.split(shift, 2)
        high, low = (
            linear_gaussian.exact_elbo(
                linear_gaussian.LOC + sign * loc, linear_gaussian.SCALE + sign * scale
            )[0]
            for sign in (1, -1)
        )
        found.append(-(high - low) / (2 * step))
    return np.array(found)


@pytest.mark.parametrize(
    "objective",
    [
        ELBO(),
        ELBO(analytic_kl=False),
        ELBO(gradient="sticking_the_landing"),
        ELBO(**SCORE, baseline=False),
        ELBO(**SCORE, baseline=False, analytic_kl=False),
        ImportanceWeighted(1),
        ImportanceWeighted(1, gradient="sticking_the_landing"),
        ImportanceWeighted(1, gradient="doubly_reparameterised"),
        ImportanceWeighted(1, **SCORE, baseline=False),
    ],
    ids=lambda o: f"{type(o).__name__}-{o.gradient}-{getattr(o, 'analytic_kl', '')}",
)
def test_the_mean_is_the_exact_gradient_of_a_gaussian_elbo(objective):
    found, exact = gaussian_gradients(objective), exact_gaussian_gradient()
    error = found.std(axis=0) / np.sqrt(ROWS)
    assert np.all(np.abs(found.mean(axis=0) - exact) < 4.5 * error + 2e-3)
    print(
        f"{type(objective).__name__} {objective.gradient}: variance {found.var(axis=0).sum():.3f}"
    )


def test_sticking_the_landing_has_no_variance_where_q_is_right():
    """With q the true posterior log w is constant in z, and so is what is left of the gradient."""
    q = linear_gaussian.true_posterior(rows=500)
    loc = tf.Variable(q.loc)

    def spread(gradient):
        objective = ELBO(gradient=gradient, analytic_kl=False)
        with tf.GradientTape() as tape:
            live = linear_gaussian.tfd.MultivariateNormalTriL(
                tf.convert_to_tensor(loc), q.scale_tril
            )
            nats = objective.nats(linear_gaussian.inference(live))
            loss = tf.reduce_sum(nats.terms["nll"] + nats.terms["kl"])
        return tape.gradient(loss, loc).numpy().std()

    assert spread("sticking_the_landing") < 1e-4
    assert spread("pathwise") > 0.1


def signal_to_noise(gradient, num_samples, rows=4000):
    found = gaussian_gradients(ImportanceWeighted(num_samples, gradient=gradient), rows)
    return np.mean(np.abs(found.mean(axis=0)) / found.std(axis=0))


def test_more_draws_drown_the_encoders_signal_unless_it_is_doubly_reparameterised():
    """As 1 / sqrt(K) (Rainforth 2018, arXiv:1802.04537, eq. 7); DReG's grows as sqrt(K)."""
    counts = (4, 16, 64)
    found = {
        name: [signal_to_noise(name, count) for count in counts]
        for name in ("pathwise", "doubly_reparameterised")
    }
    for name, ratios in found.items():
        print(name, {k: round(float(r), 3) for k, r in zip(counts, ratios, strict=True)})
    pathwise, dreg = found["pathwise"], found["doubly_reparameterised"]
    assert pathwise[0] > 1.3 * pathwise[1] > 1.3**2 * pathwise[2]
    assert 1.3**2 * dreg[0] < 1.3 * dreg[1] < dreg[2]


# --- The baseline ------------------------------------------------------------------------------


def test_the_running_mean_moves_in_training_and_rests_in_evaluation():
    objective = ImportanceWeighted(2, **SCORE)
    baseline = objective.signal_baseline
    examples, signal = tf.ones([4, 3]), tf.constant([1.0, 2.0, 3.0, 6.0])
    baseline(examples, signal)
    assert float(baseline.center) == 0.0
    left = np.mean(signal - baseline.last(baseline.hidden(examples))[:, 0])
    baseline(examples, signal, training=True)
    np.testing.assert_allclose(float(baseline.center), 0.2 * left, rtol=1e-5)


def test_only_the_squared_error_trains_the_baseline():
    baseline = ImportanceWeighted(2, **SCORE).signal_baseline
    examples, signal = tf.random.normal([64, 3], seed=1), tf.Variable(tf.fill([64], 5.0))
    with tf.GradientTape(persistent=True) as tape:
        found = baseline(examples, tf.convert_to_tensor(signal))
        value, error = tf.reduce_sum(found.value), tf.reduce_sum(found.error)
    assert tape.gradient(value, baseline.trainable_variables) == [None] * 4
    assert tape.gradient(error, signal) is None
    assert all(g is not None for g in tape.gradient(error, baseline.trainable_variables))


def test_a_baseline_without_examples_is_refused_with_the_remedy():
    objective = ELBO(**SCORE)
    inference = linear_gaussian.inference(linear_gaussian.posterior())
    assert isinstance(inference, Inference)
    with pytest.raises(UserError, match=r"looks at the examples.*with_noise.*baseline=False"):
        objective.nats(inference)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ImportanceWeighted(1, gradient="vimco"), r"num_samples=1\. Use at least 2"),
        (lambda: ELBO(gradient="vimco"), r"one of .*score_function.*received 'vimco'"),
        (lambda: ELBO(gradient="sticking_the_landing", analytic_kl=True), "estimates the KL"),
        (lambda: ELBO(gradient="sticking_the_landing", free_bits=0.1), "estimates the KL"),
    ],
)
def test_bad_combinations_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "objective", [ELBO(**SCORE), ImportanceWeighted(3, **SCORE, baseline=False)]
)
def test_estimators_round_trip(objective):
    clone = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(objective))
    assert clone.get_config() == objective.get_config()
    assert clone.pathwise is False
