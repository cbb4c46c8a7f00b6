"""Schedules of the KL's weight: values, resumption, refusals."""

import numpy as np
import pytest

from tests.evaluation.models import bits, digits_model
from tfvae import VAE
from tfvae.callbacks import CyclicalWeight, LinearWeight
from tfvae.objectives import ImportanceWeighted


def logged(callback, **fit):
    model = digits_model(2)
    model.compile("adam")
    history = model.fit(bits(64), batch_size=32, verbose=0, callbacks=[callback], **fit)
    return model, history


def test_linear_schedule_rises_and_stays():
    schedule = LinearWeight(epochs=4, start=0.2, end=1.0)
    values = [schedule.value(t) for t in (0, 1, 2, 4, 9)]
    np.testing.assert_allclose(values, [0.2, 0.4, 0.6, 1.0, 1.0])


def test_cyclical_schedule_is_the_papers():
    """Eq. 6 and 7 with T = 40, M = 4, R = 0.5, at every quarter of an epoch."""
    schedule = CyclicalWeight(epochs=40)
    for t in np.arange(0, 40, 0.25):
        tau = (t % 10) / 10
        assert schedule.value(t) == pytest.approx(tau / 0.5 if tau <= 0.5 else 1.0)
    assert schedule.value(41) == 1.0
    assert CyclicalWeight(10, num_cycles=2, rise=1.0, end=3.0).value(7.5) == 1.5


def test_each_epoch_trains_with_the_weight_that_is_logged():
    model, history = logged(LinearWeight(epochs=2), epochs=3)
    np.testing.assert_allclose(history.history["kl_weight"], [0.25, 0.75, 1.0])
    logs = {name: np.array(values) for name, values in history.history.items()}
    # `loss` is weighted; what is logged beside it is not.
    np.testing.assert_allclose(
        logs["loss"], logs["nll"] + logs["kl_weight"] * logs["kl"], rtol=1e-5
    )
    np.testing.assert_allclose(logs["elbo"], -logs["nll"] - logs["kl"], rtol=1e-5)
    assert float(model.objective.term_weights["kl"]) == 1.0


def test_a_resumed_run_goes_on_with_its_weight():
    _, history = logged(LinearWeight(epochs=4), epochs=3, initial_epoch=2)
    np.testing.assert_allclose(history.history["kl_weight"], [2.5 / 4])


def test_a_change_compiles_nothing_anew(monkeypatch):
    model = digits_model(2)
    model.compile("adam")
    nats, calls = model.objective.nats, []
    monkeypatch.setattr(model.objective, "nats", lambda *a, **k: calls.append(1) or nats(*a, **k))
    options = {"batch_size": 32, "verbose": 0, "callbacks": [LinearWeight(epochs=4)]}
    model.fit(bits(64), epochs=1, **options)
    traced = len(calls)
    assert traced > 0
    model.fit(bits(64), epochs=4, initial_epoch=1, **options)
    assert len(calls) == traced
    assert float(model.objective.term_weights["kl"]) == 3.5 / 4


def test_an_objective_without_a_kl_weight_is_refused():
    base = digits_model(2)
    model = VAE(base.encoder, base.decoder, objective=ImportanceWeighted(2))
    model.compile("adam")
    with pytest.raises(ValueError, match=r"no weight of a term 'kl' to change\. It has none"):
        model.fit(bits(8), verbose=0, callbacks=[LinearWeight(2)])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LinearWeight(0), "epochs must be an integer of at least 1"),
        (lambda: LinearWeight(2, start=-1.0), "start must be a finite number of at least 0"),
        (lambda: CyclicalWeight(3, num_cycles=4), "num_cycles must be at most epochs"),
        (lambda: CyclicalWeight(4, rise=1.5), r"rise must be in \(0, 1\]"),
        (lambda: CyclicalWeight(4, rise=0.0), "rise must be a finite number above 0"),
    ],
)
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
