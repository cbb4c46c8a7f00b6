"""What codes are is read off a model: vectors, levels by name, means from draws."""

import numpy as np
import pytest
import tensorflow as tf

from tests.export.members import Coder, Generator, Indices, Levels, Map, Nothing, built
from tests.extension.cases import CASES, vae
from tfvae.distributions.moments import DRAWS, noting_draws
from tfvae.errors import UserTypeError
from tfvae.models import codes

FROM_DRAWS = {"posterior"}


@pytest.mark.parametrize(
    ("model_class", "size"),
    [(Coder, 3), (Generator, 2), (Levels, None), (Map, None), (Indices, None), (Nothing, None)],
)
def test_only_a_vector_of_numbers_has_a_size(model_class, size):
    assert codes.vector_size(built(model_class)) == size


def test_means_without_a_closed_form_are_known_to_be_from_draws(case):
    model = case.built()
    if case.name in FROM_DRAWS:
        assert codes.code_draws(model) == DRAWS == 256
        assert codes.drawn_outputs(model) == "mean and stddev from 256 draws"
    else:
        assert codes.code_draws(model) == 0
        assert codes.drawn_outputs(model) is None


def test_notes_are_of_what_is_within():
    model = next(case for case in CASES if case.name == "posterior").built()
    example = codes.zero_example(model)
    with noting_draws() as outer:
        with noting_draws() as inner:
            pass
        model.encode(example)
    model.encode(example)
    assert inner == set()
    assert outer == {"mean", "stddev"}


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda z: (z, z), r"\.encode\(\) makes codes as a tuple"),
        (lambda z: [z], r"\.encode\(\) makes codes as a list"),
        (lambda z: {"a": {"b": z}}, r"\.encode\(\) makes codes as a dict"),
        (lambda z: {"a": (z, z)}, r"\.encode\(\) makes codes as a tuple"),
        (lambda z: {0: z}, r"\.encode\(\) makes codes as a"),
    ],
)
def test_exported_codes_have_names(returned, message):
    class Nested(Coder):
        def encode(self, batch):
            return returned(batch["x"])

    with pytest.raises(UserTypeError, match="Nested" + message + ".*use a tensor, or a dict of"):
        codes.check_codes(built(Nested))
    codes.check_codes(built(Levels))


def test_what_generates_or_proposes_codes_is_named():
    class Generated(Levels):
        def generate(self, noise, conditions):
            return tuple(super().generate(noise, conditions).values())

    with pytest.raises(UserTypeError, match=r"Generated\.generate\(\) makes codes as a tuple"):
        codes.check_codes(built(Generated))

    model = vae()
    model.build((None, 4, 4, 1))
    draw = model.encoder.head.draw
    model.encoder.head.draw = lambda q, noise: draw(q, noise)._replace(z=(tf.zeros([1, 1]),))
    with pytest.raises(UserTypeError, match=r"VAE\.infer\(\)\.proposal\.draw\(\) makes codes as a"):
        codes.check_codes(model)


def test_a_zero_example_has_the_fields_types():
    example = codes.zero_example(built(Generator))
    assert {name: value.dtype for name, value in example.items()} == {
        "x": tf.float32,
        "label": tf.int32,
    }
    np.testing.assert_array_equal(example["label"], [0])


def test_encode_goes_in_batches_with_a_bar(capsys):
    model, x = vae(), np.random.default_rng(0).random((7, 4, 4, 1), "float32")
    model.build((None, 4, 4, 1))
    at_once = model.encode({"x": tf.constant(x)})
    for data in (x, {"x": x}, tf.data.Dataset.from_tensor_slices(x).batch(2)):
        codes_of = model.encode(data, batch_size=3, verbose=1)
        assert isinstance(codes_of, np.ndarray)
        np.testing.assert_allclose(codes_of, at_once, rtol=1e-6, atol=1e-6)
        assert "7/7" in capsys.readouterr().out
    with pytest.raises(ValueError, match="batch_size"):
        model.encode(x, batch_size=0)
