"""The constraint is met at the least KL: the Gaussian rate-distortion function says at which."""

import keras
import numpy as np
import pytest
import scipy.stats

import tfvae
from tests.evaluation.models import bits, digits_model
from tfvae import heads, networks
from tfvae.objectives import GECO


def constrained(**options):
    base = digits_model(2)
    made = tfvae.VAE(base.encoder, base.decoder, objective=GECO(**options), seed=0)
    made.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    return made


def state(objective):
    return [float(v) for v in (objective.multiplier.weight, objective.multiplier.average)]


def test_the_least_kl_at_the_target_is_the_rate_of_the_distortion():
    """x ~ N(0, 1), N(x | f(z), 1): nll = D/2 + log(2 pi)/2, R(D) = -log(D)/2, lambda = 1/D.

    T. M. Cover and J. A. Thomas, 2006, "Elements of Information Theory", theorem 10.3.2; lambda is
    -dR/dnll.
    """
    distortion = 0.4
    keras.utils.set_random_seed(0)
    vae = tfvae.VAE(
        tfvae.Encoder(networks.MLP([4], "linear"), heads.MultivariateNormalDiag(1)),
        tfvae.Decoder(networks.MLP([4], "linear"), heads.IndependentNormal((1,), scale=1.0)),
        objective=GECO(target=0.5 * distortion + 0.5 * np.log(2 * np.pi), rate=0.05, decay=0.9),
        seed=0,
    )
    quantiles = scipy.stats.norm.ppf((np.arange(512) + 0.5) / 512)[:, None]
    x = (quantiles / quantiles.std()).astype("float32")
    vae.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.02, 1500)))
    history = vae.fit(np.tile(x, (3, 1)), batch_size=512, epochs=500, verbose=0).history
    found = {name: np.mean(values[-50:]) for name, values in history.items()}
    # 150 steps of 512 draws each: nll has a standard error of 0.002.
    assert found["nll"] == pytest.approx(vae.objective.target, abs=0.01)
    assert found["kl"] == pytest.approx(-0.5 * np.log(distortion), abs=0.03)
    assert found["nll_weight"] == pytest.approx(1 / distortion, rel=0.05)
    assert np.std(history["nll_weight"][-50:]) < 0.1
    assert np.std(history["nll_weight"][:100]) > 0.1


def test_the_multiplier_is_the_formulas():
    made, target, rate, decay = constrained(target=40.0, rate=0.01, decay=0.7), 40.0, 0.01, 0.7
    history = made.fit(bits(16), batch_size=16, epochs=6, verbose=0).history
    weight, average = 1.0, None
    for nll, logged in zip(history["nll"], history["nll_weight"], strict=True):
        constraint = nll - target
        average = constraint if average is None else decay * average + (1 - decay) * constraint
        weight *= np.exp(rate * average)
        assert logged == pytest.approx(weight, rel=1e-5)
    np.testing.assert_allclose(state(made.objective), [weight, average], rtol=1e-5)
    weighted = np.multiply(history["nll_weight"], history["nll"]) + history["kl"]
    np.testing.assert_allclose(history["loss"], weighted, rtol=1e-5)
    assert abs(weight - 1) > 0.01


def test_it_rests_in_evaluation():
    made = constrained(target=30.0, rate=0.01)
    made.fit(bits(32), epochs=1, verbose=0)
    before = state(made.objective)
    made.evaluate(bits(32), verbose=0)
    assert state(made.objective) == before
    assert before[0] != 1.0


def test_it_goes_on_where_a_file_was_written(tmp_path):
    options = {"batch_size": 32, "shuffle": False, "verbose": 0}
    made = constrained(target=30.0, rate=0.01)
    made.fit(bits(32), epochs=2, **options)
    made.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for model in (made, again):
        model.fit(bits(32), initial_epoch=2, epochs=4, **options)
    assert state(again.objective) == state(made.objective)
    for found, expected in zip(again.get_weights(), made.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_target_out_of_reach_leaves_a_finite_multiplier():
    made = constrained(target=-1e9, rate=1.0)
    history = made.fit(bits(16), epochs=2, verbose=0).history
    assert history["nll_weight"] == pytest.approx([1e6, 1e6])
    assert np.isfinite(history["loss"]).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"target": float("nan")}, "target must be a finite number"),
        ({"target": 1.0, "rate": 0.0}, "rate must be"),
        ({"target": 1.0, "decay": 1.0}, r"decay must be in \[0, 1\)"),
        ({"target": 1.0, "num_samples": 0}, "num_samples must be an integer"),
        ({"target": 1.0, "analytic_kl": "yes"}, "analytic_kl must be None, True or False"),
    ],
)
def test_bad_arguments_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        GECO(**options)
