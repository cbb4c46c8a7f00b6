"""Every step against automatic differentiation, and against its own inverse."""

import numpy as np
import pytest
import tensorflow as tf

from tests.flows.made import ROWS, SIZE, STEPS, built, points
from tfvae import flows
from tfvae.errors import UserError, UserTypeError
from tfvae.flows.chain import Chain, checked_steps

INVERTIBLE = [name for name in STEPS if name != "planar"]
# Of float32 through the root of a quadratic equation whose coefficients differ by a factor of 1e3.
CLOSE = {"rtol": 1e-4, "atol": 2e-3}


def jacobian(move, z):
    with tf.GradientTape() as tape:
        tape.watch(z)
        moved = move(z)
    return moved, tape.batch_jacobian(moved.z, z).numpy().astype("float64")


@pytest.mark.parametrize("name", STEPS)
def test_the_log_determinant_is_that_of_the_jacobian(name):
    step, context = built(name)
    moved, matrix = jacobian(lambda z: step.forward(z, context), points(ROWS))
    assert np.abs(matrix - np.eye(SIZE)).max() > 0.05, "or nothing would have moved"
    expected = np.linalg.slogdet(matrix)[1]
    np.testing.assert_allclose(moved.log_det, expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", INVERTIBLE)
def test_the_inverse_undoes_it(name):
    step, context = built(name)
    z = points(7, ROWS)
    there = step.forward(z, context)
    back = step.inverse(there.z, context)
    assert np.abs(there.z - z).max() > 0.1
    np.testing.assert_allclose(back.z, z, **CLOSE)
    np.testing.assert_allclose(back.log_det, -there.log_det, **CLOSE)


@pytest.mark.parametrize("name", INVERTIBLE)
def test_what_is_not_drawn_has_a_place_where_it_comes_from(name):
    """The image is all of R^D: a density is asked for far away, too."""
    step, context = built(name)
    z = 5 * points(ROWS)
    before = step.inverse(z, context)
    np.testing.assert_allclose(step.forward(before.z, context).z, z, **CLOSE)


@pytest.mark.parametrize("name", STEPS)
def test_draws_of_an_example_share_its_context(name):
    step, context = built(name)
    z = points(2, ROWS)
    together = step.forward(z, context)
    for draw in range(2):
        alone = step.forward(z[draw], context)
        np.testing.assert_allclose(together.z[draw], alone.z, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(together.log_det[draw], alone.log_det, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", [n for n in STEPS if built(n)[1] is not None])
def test_the_context_moves_each_example_its_own_way(name):
    step, context = built(name)
    z = tf.repeat(points(1), ROWS, axis=0)
    found = step.forward(z, context).z.numpy()
    assert np.abs(found - found[:1])[1:].max(axis=1).min() > 1e-2


@pytest.mark.parametrize("name", sorted(set(STEPS) - {"householder"}))
def test_a_fresh_step_is_almost_the_identity(name):
    """A deep flow starts as its base, of which an inverse autoregressive step keeps 0.89."""
    step = STEPS[name]()
    step.build((None, SIZE))
    numbers = step.context_numbers(SIZE)
    z = points(20)
    found = step.forward(z, tf.zeros([20, numbers]) if numbers else None).z
    kept = (
        0.05 + 0.95 / (1 + np.exp(-2.0)) if isinstance(step, flows.InverseAutoregressive) else 1.0
    )
    assert np.abs(found - kept * z).mean() < 0.1


@pytest.mark.parametrize("far", [-1e4, 1e4])
def test_a_planar_step_stays_invertible_whatever_the_encoder_says(far):
    """w . u' > -1: its slope along w is positive, at the steepest place of tanh as well."""
    step, _ = built("planar", size=1)
    step.direction.assign([0.0])
    context = tf.constant([[far, 1.0, 0.0]])
    z = tf.linspace(-1.0, 1.0, 9)[:, tf.newaxis]
    moved, matrix = jacobian(lambda z: step.forward(z, tf.repeat(context, 9, axis=0)), z)
    assert np.isfinite(moved.log_det).all()
    assert np.all(matrix >= 0)
    assert np.all(np.diff(moved.z[:, 0]) >= 0)


@pytest.mark.parametrize("far", [-1e4, 1e4])
def test_a_radial_step_stays_invertible_whatever_the_encoder_says(far):
    step, _ = built("radial")
    z = points(ROWS)
    for a, b in [(far, 1.0), (1.0, far)]:
        context = tf.concat([tf.zeros([ROWS, SIZE]), tf.repeat([[a, b]], ROWS, axis=0)], axis=-1)
        found = step.forward(z, context)
        back = step.inverse(found.z, context)
        assert np.isfinite([found.log_det, back.log_det]).all()
        assert np.isfinite(back.z).all()


@pytest.mark.parametrize("name", ["affine", "masked_autoregressive", "inverse_autoregressive"])
def test_a_network_that_runs_away_leaves_the_determinant_finite(name):
    step, context = built(name)
    step.network.biases[-1].assign(tf.fill(step.network.biases[-1].shape, 1e4))
    moved = step.forward(points(ROWS), context)
    assert np.isfinite(moved.z).all()
    assert np.isfinite(moved.log_det).all()


def test_steps_add_up_in_a_chain_and_each_gets_its_own_part_of_the_context():
    names = ["radial", "affine", "householder", "affine_flipped"]
    made = [built(name) for name in names]
    steps = [step for step, _ in made]
    contexts = [context for _, context in made if context is not None]
    chain = Chain(steps, SIZE, tf.concat(contexts, axis=-1))
    z = points(ROWS)
    moved, matrix = jacobian(chain.forward, z)
    np.testing.assert_allclose(moved.log_det, np.linalg.slogdet(matrix)[1], rtol=1e-4, atol=1e-4)
    expected = z
    for step, context in made:
        expected = step.forward(expected, context).z
    np.testing.assert_array_equal(moved.z, expected)
    back = chain.inverse(moved.z)
    np.testing.assert_allclose(back.z, z, **CLOSE)
    np.testing.assert_allclose(back.log_det, -moved.log_det, **CLOSE)
    assert not chain.lacks_inverse
    planar = Chain([*steps, flows.Planar()], SIZE, tf.zeros([ROWS, chain.context.shape[-1] + 11]))
    assert planar.lacks_inverse == "Planar"


def test_a_chain_that_is_held_lets_gradients_through_z_alone():
    step, context = built("affine")
    z = points(ROWS)
    watched = [step.network.kernels[0].value, context, z]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        loss = tf.reduce_sum(Chain([step], SIZE, context).held().inverse(z).log_det)
    of_weight, of_context, of_z = tape.gradient(loss, watched)
    assert of_weight is None
    assert of_context is None
    assert np.any(of_z.numpy() != 0)


@pytest.mark.parametrize(
    ("steps", "size", "error", "message"),
    [
        ([], 2, UserError, "non-empty list of tfvae.flows steps"),
        (flows.Radial(), 2, UserError, "non-empty list"),
        (["planar"], 2, UserTypeError, r"steps\[0\]"),
        ([flows.Radial(), flows.AffineCoupling()], 1, UserError, "AffineCoupling needs at least 2"),
        ([flows.SplineCoupling()], 1, UserError, "SplineCoupling needs at least 2"),
        ([flows.Householder()], 1, UserError, "Raise latent_size, or use Planar or Radial"),
    ],
)
def test_what_is_no_flow_is_refused(steps, size, error, message):
    with pytest.raises(error, match=message):
        checked_steps(steps, size)


def test_a_step_without_forward_is_refused():
    class Nothing(flows.FlowStep):
        pass

    with pytest.raises(UserError, match=r"without forward\(\); define it"):
        Nothing()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: flows.AffineCoupling(units=[]), "units"),
        (lambda: flows.AffineCoupling(context_size=-1), "context_size"),
        (lambda: flows.SplineCoupling(num_bins=1), "num_bins"),
        (lambda: flows.SplineCoupling(num_bins=1000), "num_bins"),
        (lambda: flows.SplineCoupling(bound=0.0), "bound"),
        (lambda: flows.InverseAutoregressive(units=[0]), "units"),
    ],
)
def test_sizes_out_of_range_are_refused(make, message):
    with pytest.raises(UserError, match=message):
        make()
