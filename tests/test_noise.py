"""Noise: who depends on what, laws, and that every runtime of TensorFlow draws the same."""

import itertools

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from tfvae.noise import Noise, example_noise, example_seeds, training_noise

S, B, N = 4, 3, 6
SEEDS = tf.constant([5, -1, 2**31 - 1])
STEP = tf.constant([11, 4])
# The rows of the docstring's table.
TABLE = {
    "training": (lambda: training_noise(STEP, S, B), (S, B)),
    "evaluation": (lambda: example_noise(SEEDS, 0, S), (S, B)),
    "sampling": (lambda: Noise(7, row=tf.range(N)), (N,)),
    "server": (lambda: Noise(SEEDS, row=tf.range(S)[:, tf.newaxis]), (S, B)),
    "one": (lambda: Noise(7), ()),
}


@pytest.mark.parametrize("use", TABLE)
def test_leading_shapes_are_those_of_the_table(use):
    make, leading = TABLE[use]
    noise = make()
    assert noise.normal(2).shape == (*leading, 2)
    assert noise.uniform(2).shape == (*leading, 2)
    assert noise.words().shape == leading
    assert noise.part(3).normal(2).shape == (*leading, 2)
    assert noise.stateless_seed().shape == (2,)
    assert noise.stateless_seed().dtype == tf.int32
    if leading:
        numbers = noise.normal(2).numpy()
        assert np.unique(numbers).size == numbers.size, "no draw has another's numbers"


def same(found, expected):
    """Up to the last bit: entries that fill no vector register round differently."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def all_of(noise):
    return tf.concat([noise.normal(2), noise.uniform(2), noise.part(1).normal(2)], axis=-1).numpy()


def test_training_draws_do_not_change_with_draws_neighbours_or_replicas():
    whole = all_of(training_noise(STEP, S, 8))
    same(all_of(training_noise(STEP, 2, 8)), whole[:2])
    same(all_of(training_noise(STEP, S, 5)), whole[:, :5])
    for replica in range(2):  # two of four rows each
        same(
            all_of(training_noise(STEP, S, 4, first_row=4 * replica)),
            whole[:, 4 * replica : 4 * replica + 4],
        )
    other = all_of(training_noise(STEP + tf.constant([0, 1]), S, 8))
    assert not np.any(other == whole)


def test_evaluation_draws_do_not_change_with_chunks_or_batches():
    seeds = example_seeds(9, 0, 10)
    whole = all_of(example_noise(seeds, 0, 12))
    for first, count in ((0, 5), (5, 5), (10, 2)):
        same(all_of(example_noise(seeds, first, count)), whole[first : first + count])
    np.testing.assert_array_equal(example_seeds(9, 4, 3), seeds[4:7])
    same(all_of(example_noise(example_seeds(9, 4, 3), 0, 12)), whole[:, 4:7])
    assert len(set(seeds.numpy())) == 10
    assert not set(seeds.numpy()) & set(example_seeds(10, 0, 10).numpy())


def test_samples_and_requests_draw_as_if_they_were_alone():
    whole = all_of(Noise(7, row=tf.range(N)))
    same(all_of(Noise(7, row=tf.range(2))), whole[:2])
    same(all_of(Noise(7, row=tf.range(2, N))), whole[2:])
    same(all_of(Noise(7))[np.newaxis], whole[:1])
    requests = all_of(Noise(SEEDS, row=tf.range(S)[:, tf.newaxis]))
    for number, seed in enumerate(SEEDS.numpy()):
        same(all_of(Noise(int(seed), row=tf.range(S))), requests[:, number])


def test_normals_and_uniforms_follow_their_laws():
    noise = training_noise(STEP, 50, 400)
    normal, uniform = noise.normal(2).numpy(), noise.uniform(2).numpy()
    assert scipy.stats.kstest(normal.ravel(), "norm").pvalue > 1e-3
    assert scipy.stats.kstest(uniform.ravel(), "uniform").pvalue > 1e-3
    assert 0 < uniform.min() < uniform.max() < 1


def test_parts_kinds_draws_and_rows_are_unrelated():
    """All pairs of rows of numbers: a correlation is above 5 standard errors once in 2 million."""
    noise, count = training_noise(STEP, 2, 20_000), 20_000
    parts = {
        "itself": noise,
        "1": noise.part(1),
        "2": noise.part(2),
        "1 of 2": noise.part(2).part(1),
        "2 of 1": noise.part(1).part(2),
        "next step": training_noise(STEP + tf.constant([0, 1]), 2, count),
    }
    rows = {
        (name, kind, draw): numbers[draw, :, 0].numpy()
        for name, part in parts.items()
        for kind, numbers in (("normal", part.normal(1)), ("uniform", part.uniform(1)))
        for draw in range(2)
    }
    rows["one row on"] = np.roll(rows["itself", "normal", 0], 1)
    for (one, x), (two, y) in itertools.combinations(rows.items(), 2):
        assert abs(np.corrcoef(x, y)[0, 1]) < 5 / np.sqrt(count), (one, two)
        assert abs(np.corrcoef(x**2, y**2)[0, 1]) < 5 / np.sqrt(count), (one, two)


@pytest.mark.parametrize("use", TABLE)
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_compiled_noise_is_the_same(use, jit_compile):
    make, _ = TABLE[use]
    noise = make()
    compiled = tf.function(
        lambda seed, stream, row: [
            tf.concat([n.normal(5), n.uniform(5)], axis=-1)
            for n in (Noise(seed, stream, row), Noise(seed, stream, row).part(2))
        ],
        jit_compile=jit_compile,
    )
    found = compiled(noise.seed, noise.stream, tf.constant(noise.row))
    for number, part in enumerate((noise, noise.part(2))):
        expected = tf.concat([part.normal(5), part.uniform(5)], axis=-1)
        np.testing.assert_allclose(found[number], expected, rtol=1e-6, atol=1e-6)


def test_temperature_is_a_factor_on_the_normals_alone():
    plain, rows = Noise(7, row=tf.range(N)), tf.range(N)
    half = Noise(7, row=rows, temperature=0.5)
    np.testing.assert_array_equal(half.normal(3), 0.5 * plain.normal(3))
    np.testing.assert_array_equal(half.part(1).normal(3), 0.5 * plain.part(1).normal(3))
    np.testing.assert_array_equal(half.uniform(3), plain.uniform(3))
    each = tf.range(6.0)
    varied = Noise(7, row=rows, temperature=each).normal(3)
    np.testing.assert_array_equal(varied, each[:, tf.newaxis] * plain.normal(3))
    requests = Noise(
        SEEDS, row=tf.range(S)[:, tf.newaxis], temperature=tf.constant([0.0, 1.0, 2.0])
    )
    unit = Noise(SEEDS, row=tf.range(S)[:, tf.newaxis]).normal(2)
    np.testing.assert_array_equal(requests.normal(2), unit * [[[0.0], [1.0], [2.0]]])


def test_stateless_seeds_follow_the_noise():
    first, again = (training_noise(STEP, S, B).stateless_seed().numpy() for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert np.all(first != training_noise(STEP + 1, S, B).stateless_seed().numpy())
    assert np.all(first != training_noise(STEP, S, B).part(1).stateless_seed().numpy())


def test_a_seed_that_is_no_int32_is_refused():
    with pytest.raises(ValueError, match="seed must be an int32"):
        Noise(2**31)
    with pytest.raises(TypeError, match=r"stream is .*expected an int"):
        Noise(1, stream=0.5)
