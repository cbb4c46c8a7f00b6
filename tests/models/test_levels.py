"""Models of several levels, against a linear hierarchy whose log p(x) is known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tests.models.linear_levels as exact
import tfvae
from tfvae import corruptions, flows, heads, networks, objectives, priors
from tfvae.distributions.scales import raw_diagonal
from tfvae.errors import UserError, UserTypeError
from tfvae.models.ladder import precision_weighted, residual_merge
from tfvae.noise import Noise

KINDS = (tfvae.HierarchicalVAE, tfvae.LadderVAE)
DIAG = heads.MultivariateNormalDiag


def level(size=2, below=4, **options):
    return tfvae.Level(networks.MLP([8]), DIAG(size), networks.MLP([8]), DIAG(below), **options)


def small(kind=tfvae.LadderVAE, levels=None, **options):
    return kind(
        tfvae.Encoder(networks.MLP([8]), DIAG(4)),
        [level(name="level_2")] if levels is None else levels,
        tfvae.Decoder(networks.MLP([8]), heads.IndependentBernoulli((4, 4, 1))),
        seed=5,
        **options,
    )


def trained(**options):
    """One step of training."""
    model = small(**options)
    model.build((None, 4, 4, 1))
    return model.loss_terms({"x": tf.ones([3, 4, 4, 1])}, training=True)


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.__name__)
def linear(request):
    return exact.exact_model(request.param)


def test_importance_weights_of_the_exact_posterior_are_log_p(linear):
    """Every weight is p(x), so one draw of both levels does."""
    found = linear.log_likelihood(exact.X, num_samples=2, verbose=0)
    np.testing.assert_allclose(found.per_example, exact.LOG_P, rtol=2e-5)
    np.testing.assert_allclose(found.effective_sample_size, 2.0, rtol=1e-4)


def test_annealed_importance_sampling_goes_over_all_levels(linear):
    found = tfvae.evaluation.annealed_importance_sampling(
        linear, exact.X[:3], num_chains=64, num_steps=400, verbose=0
    )
    np.testing.assert_allclose(found.per_example, exact.LOG_P[:3], atol=0.2)


@pytest.mark.parametrize("kind", KINDS)
def test_chains_move_though_a_level_lies_close_to_the_one_before(kind):
    """Levels walk in units of what those before leave of them, not of all that they may be."""
    known = exact.Known(0.002)
    model, x = exact.exact_model(kind, known=known), exact.X[:3]
    found = tfvae.evaluation.annealed_importance_sampling(
        model, x, num_chains=64, num_steps=20, start="posterior", verbose=0
    )
    assert np.all(found.acceptance_rate > 0.9)
    np.testing.assert_allclose(found.per_example, known.log_p[:3], atol=1e-2)
    chains = tfvae.evaluation.posterior_samples(model, x, num_samples=300, burn_in=200, verbose=0)
    assert all(np.max(r_hat) < 1.05 for r_hat in chains.r_hat.values())
    for name, mean, variance in (
        ("z1", known.loc1, known.variance1),
        ("z2", known.loc2, known.variance2),
    ):
        z = chains.z[name][..., 0]
        spread = np.sqrt(variance / chains.effective_sample_size[name][:, 0])
        assert np.all(np.abs(z.mean(axis=(0, 1)) - mean[:3]) < 4.5 * spread)
        np.testing.assert_allclose(z.var(axis=(0, 1)), variance, rtol=0.25)


def test_nats_of_each_level(linear):
    """Their sum is the KL, and of the ladder the top one's is the closed form."""
    count = 4000
    batch = {"x": tf.constant(exact.X)}
    inference = linear.with_noise(linear.infer(batch), batch)
    z, _ = inference.proposal.draw(inference.noise(count))
    levels = inference.proposal.level_kl(z)
    total = np.sum([kl.numpy() for kl in levels.values()], axis=0)
    spread = total.std(axis=0) / np.sqrt(count)
    assert np.all(np.abs(total.mean(axis=0) - exact.KL) < 5 * spread + 1e-4)
    if isinstance(linear, tfvae.LadderVAE):
        np.testing.assert_allclose(levels["z2"][7], exact.KL2, rtol=1e-4)


def test_the_objective_is_the_bound(linear):
    """-elbo = nll + kl_z1 + kl_z2 = -log p(x) in the mean over draws."""
    batch = {"x": tf.constant(exact.X)}
    objective = objectives.LevelsELBO(2, num_samples=4000)
    nats = objective.nats(linear.with_noise(linear.infer(batch), batch))
    found = {**nats.terms, **nats.watched}
    np.testing.assert_allclose(found["elbo"], exact.LOG_P, atol=0.15)
    np.testing.assert_allclose(found["kl_z1"] + found["kl_z2"], found["kl"], rtol=1e-5)


def test_samples_have_the_moments_of_the_hierarchy(linear):
    z = linear.generate(Noise(7, row=tf.range(20_000)))
    z1, z2 = z["z1"].numpy()[:, 0], z["z2"].numpy()[:, 0]
    assert z2.std() == pytest.approx(1.0, abs=0.03)
    assert z1.std() == pytest.approx(np.sqrt(exact.V1), abs=0.05)
    assert np.cov(z1, z2)[0, 1] == pytest.approx(exact.A, abs=0.05)


def test_upper_levels_can_be_held(linear):
    """What is given stays, and what is below is drawn anew given it."""
    z = linear.generate(Noise(1, row=tf.range(4000)))
    again = linear.continued({"z2": tf.ones([4000, 1])}, Noise(2, row=tf.range(4000)))
    np.testing.assert_array_equal(again["z2"], 1.0)
    assert again["z1"].numpy().mean() == pytest.approx(exact.A, abs=5 * exact.S / np.sqrt(4000))
    assert not np.array_equal(again["z1"], z["z1"])
    with pytest.raises(UserError, match="without a gap"):
        linear.continued({"z1": tf.ones([4, 1])}, Noise(2, row=tf.range(4)))


def test_merges():
    rng = np.random.default_rng(0)
    below, above = (
        {"loc": rng.normal(size=(3, 2)), "scale_diag": rng.uniform(0.5, 2.0, (3, 2))}
        for _ in range(2)
    )
    x = np.linspace(-12, 12, 4001)
    both = [tf.constant(p["loc"]) for p in (below, above)]
    found = precision_weighted(*({k: tf.constant(v) for k, v in p.items()} for p in (below, above)))
    for i in np.ndindex(3, 2):  # the product of the two densities, by quadrature
        product = np.exp(
            sum(-0.5 * ((x - p["loc"][i]) / p["scale_diag"][i]) ** 2 for p in (below, above))
        )
        product /= product.sum()
        loc = np.sum(product * x)
        assert found["loc"].numpy()[i] == pytest.approx(loc, abs=1e-5)
        variance = np.sum(product * (x - loc) ** 2)
        assert found["scale_diag"].numpy()[i] == pytest.approx(np.sqrt(variance), rel=1e-5)
    moved = residual_merge(below, above)
    np.testing.assert_allclose(moved["loc"], both[0] + both[1])
    np.testing.assert_allclose(moved["scale_diag"], below["scale_diag"] * above["scale_diag"])


def test_without_a_merge_the_levels_are_independent_given_x():
    model = small(merge="none")
    model.build((None, 4, 4, 1))
    x = {"x": tf.ones([1, 4, 4, 1])}
    found = [
        model.infer(x).proposal.at({"z1": tf.zeros([1, 4]), "z2": tf.fill([1, 2], value)})
        for value in (0.0, 3.0)
    ]
    first, second = (p.posteriors["z1"].parameters["loc"] for p in found)
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(*(p.priors["z1"].parameters["loc"] for p in found))


def test_one_pass_serves_the_draw_and_its_prior():
    """The networks of the levels run once a draw."""
    model = small()
    model.build((None, 4, 4, 1))
    calls = []
    down = model.levels[0].down
    original = down.call
    down.call = lambda *a, **k: calls.append(1) or original(*a, **k)
    inference = model.infer({"x": tf.ones([2, 4, 4, 1])})
    inference.draw_from(Noise(0, row=tf.range(2)[tf.newaxis]))
    assert len(calls) == 1


@pytest.mark.parametrize("merge", ["precision", "residual", "none"])
def test_a_flow_goes_on_what_its_normal_is_merged_to(merge):
    """q is no longer exact, and importance weights with its density still find log p(x)."""

    def flow(size):
        return heads.Flow(DIAG(size), [flows.Radial(), flows.Planar()])

    model = exact.exact_model(tfvae.LadderVAE, flow, merge=merge)
    if merge == "residual":  # proposals are made for the other merge, and far too narrow for this
        projection = model.encoder.head.base.projection
        projection.kernel.assign(np.zeros(projection.kernel.shape))
        projection.bias.assign([0.0, raw_diagonal(1.5)])
    batch, noise = {"x": tf.constant(exact.X)}, Noise(1, row=tf.range(12)[tf.newaxis])
    found = model.infer(batch).draw_from(noise)
    plain = exact.exact_model(tfvae.LadderVAE, merge=merge).infer(batch).draw_from(noise)
    assert np.abs(found.z["z1"] - plain.z["z1"]).max() > 0.1, "else the flow moves nothing"
    found = model.log_likelihood(exact.X, num_samples=20_000, verbose=0)
    error = 1 / np.sqrt(found.effective_sample_size)  # of the mean weight, in nats
    assert np.all(np.abs(found.per_example - exact.LOG_P) < 5 * error)
    assert error.max() < 0.1


@pytest.mark.parametrize("combine", ["sum", "gated"])
def test_what_comes_down_goes_into_q(combine):
    """x and z2 alone decide q of z1, by importance weights that still find log p(x)."""
    model = exact.exact_model(tfvae.LadderVAE, combine=combine, top_down_features=True)
    (layer,) = model.combiners
    layer.project.kernel.assign(0.3 * np.ones(layer.project.kernel.shape))
    found = model.log_likelihood(exact.X, num_samples=20_000, verbose=0)
    error = 1 / np.sqrt(found.effective_sample_size)
    assert np.all(np.abs(found.per_example - exact.LOG_P) < 5 * error)
    noise = Noise(1, row=tf.range(12)[tf.newaxis])
    batch = {"x": tf.constant(exact.X)}
    before = model.infer(batch).draw_from(noise).z
    layer.project.bias.assign(np.ones(exact.PIXELS))
    after = model.infer(batch).draw_from(noise).z
    np.testing.assert_array_equal(before["z2"], after["z2"])
    assert not np.allclose(before["z1"], after["z1"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"combine": "sum"}, "combine='sum' is of features that come down, and there are none"),
        ({"combine": "product"}, "combine must be one of none, sum, gated"),
    ],
)
def test_combinations_that_are_not_there_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        small(**options)


def test_features_are_combined_as_numpy_does():
    rng = np.random.default_rng(2)
    below, above = rng.normal(size=(3, 2, 2, 4)), rng.normal(size=(5, 3, 2, 2, 6))
    layer = networks.Combine(gated=True)
    inputs = {"below": below.astype("float32"), "above": above.astype("float32")}
    assert layer(inputs).shape == layer.compute_output_shape(
        {"below": below.shape, "above": above.shape}
    )
    for weight in layer.weights:
        weight.assign(rng.normal(size=weight.shape))
    project, bias = (w.numpy() for w in layer.project.weights)
    opening = above @ layer.gate_above.kernel.numpy() + layer.gate_above.bias.numpy()
    opening = opening + below @ layer.gate_below.kernel.numpy()
    expected = below + (above @ project + bias) / (1 + np.exp(-opening))
    np.testing.assert_allclose(layer(inputs), expected, rtol=1e-4, atol=1e-4)
    with pytest.raises(UserError, match="go up to a level and"):
        networks.Combine().build({"below": (None, 4, 4, 2), "above": (None, 2, 2, 2)})


@pytest.mark.parametrize("free_bits", [0.0, 1e-6])
def test_shares_of_the_levels(free_bits):
    """Balanced, a level's gradient is in proportion to its nats per dimension; the loss is not."""

    def nats_of(balanced, kl_weight=0.5):
        objective = objectives.LevelsELBO(
            2, kl_weight=kl_weight, balanced=balanced, free_bits=free_bits
        )
        keras.utils.set_random_seed(0)
        model = small(objective=objective)
        model.build((None, 4, 4, 1))
        nats = model.loss_terms({"x": tf.ones([3, 4, 4, 1])}, training=True)
        surrogates = {n: float(tf.reduce_mean(v)) for n, v in nats.surrogates.items()}
        logged = {**nats.terms, **nats.watched}
        return surrogates, {n: float(tf.reduce_mean(v)) for n, v in logged.items()}

    none, plain = nats_of(balanced=False)
    found, logged = nats_of(balanced=True)
    assert not none
    assert logged == pytest.approx(plain)
    parts = {"kl_z1": (plain["kl_z1"] + 0.01) / 4, "kl_z2": (plain["kl_z2"] + 0.01) / 2}
    mean = sum(parts.values()) / 2
    shared = {name: plain[name] * part / mean for name, part in parts.items()}
    expected = {"free_bits_kl": sum(shared.values())} if free_bits else shared
    assert found == pytest.approx(expected, rel=1e-4)
    after, _ = nats_of(balanced=True, kl_weight=1.0)  # the warm-up is over
    names = list(expected)
    assert after == pytest.approx({name: plain[name] for name in names}, rel=1e-4)


def test_free_bits_below_the_nats_change_nothing():
    objective = objectives.LevelsELBO(2, free_bits=1e-6)
    model = small(objective=objective)
    model.build((None, 4, 4, 1))
    nats = model.loss_terms({"x": tf.ones([3, 4, 4, 1])}, training=True)
    assert float(nats.terms["free_bits_kl"]) == pytest.approx(
        float(tf.reduce_mean(nats.watched["kl"])), rel=1e-5
    )


@pytest.mark.parametrize("kind", KINDS)
def test_training_sees_x_corrupted(kind):
    """With all of x masked q of the first level forgets it, in training alone."""
    model = small(kind, corruption=corruptions.Masking(1.0))
    model.build((None, 4, 4, 1))
    weights = model.encoder.head.projection.kernel
    weights.assign(np.random.default_rng(0).normal(size=weights.shape))
    x = np.random.default_rng(1).random((2, 4, 4, 1)).round().astype("float32")
    z = {"z1": tf.zeros([2, 4]), "z2": tf.zeros([2, 2])}
    for training in (True, False):
        proposal = model.infer({"x": tf.constant(x)}, training=training).proposal
        loc = proposal.at(z).posteriors["z1"].parameters["loc"].numpy()
        assert np.allclose(loc[0], loc[1]) == training


def test_flows_are_posteriors_of_levels():
    """Draws are all that training, encoding and likelihoods take of them."""
    flow = heads.PlanarFlow(4, num_steps=2)
    model = tfvae.HierarchicalVAE(
        tfvae.Encoder(networks.MLP([8]), flow),
        [level(name="level_2")],
        tfvae.Decoder(networks.MLP([8]), heads.IndependentBernoulli((4, 4, 1))),
        seed=5,
    )
    model.compile("adam", jit_compile=False, run_eagerly=True)
    x = np.random.default_rng(1).random((6, 4, 4, 1)).round().astype("float32")
    history = model.fit(x, epochs=1, batch_size=6, verbose=0).history
    assert np.isfinite(history["elbo"][0])
    assert model.encode(x)["z1"].shape == (6, 4)
    assert np.isfinite(model.log_likelihood(x, num_samples=4, verbose=0).mean)


def test_statistics_of_the_way_up_move_in_training_alone():
    above = tfvae.Level(
        networks.MLP([8], batch_normalisation=True), DIAG(2), networks.MLP([8]), DIAG(4)
    )
    model = small(levels=[above])
    model.compile("adam", jit_compile=False)
    x = np.random.default_rng(1).random((8, 4, 4, 1)).round().astype("float32")
    model.build((None, 4, 4, 1))
    before = [w.numpy() for w in above.up.network.non_trainable_weights]
    model.evaluate(x, verbose=0)
    rested = [w.numpy() for w in above.up.network.non_trainable_weights]
    model.fit(x, epochs=1, verbose=0)
    moved = [w.numpy() for w in above.up.network.non_trainable_weights]
    assert len(before) == 2
    assert all(np.array_equal(a, b) for a, b in zip(before, rested, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(rested, moved, strict=True))


def test_free_bits_of_a_level():
    objective = objectives.LevelsELBO(2, free_bits=50.0)
    model = small(objective=objective)
    model.build((None, 4, 4, 1))
    nats = model.loss_terms({"x": tf.ones([3, 4, 4, 1])}, training=True)
    assert set(nats.terms) == {"nll", "free_bits_kl"}
    assert float(nats.terms["free_bits_kl"]) == pytest.approx(100.0)
    objective.term_weights["kl_z2"].assign(0.5)
    nats = model.loss_terms({"x": tf.ones([3, 4, 4, 1])}, training=True)
    assert float(nats.terms["free_bits_kl"]) == pytest.approx(75.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: small(levels=[]), "hierarchy of one level is a VAE"),
        (lambda: small(levels=[level(below=3)]), r"p\(z1\|z2\) over 3 numbers, and z1 has 4"),
        (lambda: small(merge="mean"), "merge must be one of precision, residual, none"),
        (lambda: small(prior=priors.StandardNormal(4)), "over 2, that needs nothing"),
        (lambda: objectives.LevelsELBO(1), "num_levels must be at least 2"),
        (
            lambda: small(objective=objectives.LevelsELBO(3)).build((None, 4, 4, 1)),
            "num_levels=3, and the model has 2",
        ),
        (
            lambda: trained(
                objective=objectives.ImportanceWeighted(3, gradient="doubly_reparameterised")
            ),
            "q of several levels can't hold",
        ),
        (
            lambda: small(
                levels=[
                    tfvae.Level(
                        networks.MLP([8]), DIAG(2), networks.MLP([8]),
                        heads.MultivariateNormalTriL(4),
                    )
                ]
            ).build((None, 4, 4, 1)),
            "takes diagonal Normals",
        ),
        (
            lambda: small(
                levels=[
                    tfvae.Level(
                        networks.MLP([8]), heads.LatentPiecewise(2), networks.MLP([8]), DIAG(4)
                    )
                ]
            ),
            "the density of LatentPiecewise jumps",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(UserError, match=message):
        make()


def test_parts_of_the_wrong_kind_are_refused():
    with pytest.raises(UserTypeError, match=r"levels must be a list of tfvae\.models\.Level"):
        small(levels=[networks.MLP([3])])
    with pytest.raises(UserError, match="for a model of several levels"):
        tfvae.VAE(
            tfvae.Encoder(networks.MLP([8]), DIAG(4)),
            tfvae.Decoder(networks.MLP([8]), heads.IndependentBernoulli((4, 4, 1))),
            objective=objectives.LevelsELBO(2),
        ).build((None, 4, 4, 1))
