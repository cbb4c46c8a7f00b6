"""A plain network predicts the pixels that it is not shown, as well as they can be."""

import keras
import numpy as np
import pytest

import tfvae
from tfvae import data, heads, networks, presets
from tfvae.reproduce import predicting
from tfvae.reproduce.quadrants_table import QUADRANTS_TABLES

pytestmark = pytest.mark.usefixtures("without_xla")

ROWS = 400
KEPT = 0.9  # probability that an unseen pixel is as the one that is seen


def conditional():
    keras.utils.set_random_seed(0)
    vae = tfvae.ConditionalVAE(
        tfvae.Encoder(networks.MLP([4]), heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(networks.MLP([8]), heads.IndependentBernoulli((2, 2, 1))),
        {"visible": tfvae.Field((2, 2, 1))},
        counted="counted",
    )
    vae.build(vae.input_shapes())
    return vae


def pixels():
    """One pixel of four is seen, and each of the others is its copy with a known probability."""
    rng = np.random.default_rng(0)
    seen = rng.integers(2, size=(ROWS, 1, 1, 1))
    x = np.where(rng.random((ROWS, 2, 2, 1)) < KEPT, seen, 1 - seen).astype("float32")
    x[:, :1, :1] = seen
    counted = np.ones_like(x)
    counted[:, 0, 0] = 0
    return {"x": x, "visible": np.where(counted > 0, 0.5, x), "counted": counted}


def test_it_is_the_decoder_at_no_code_and_counts_what_is_unseen():
    vae, batch = conditional(), pixels()
    found = predicting.PlainNetwork(vae).predict(batch, verbose=0)
    p = vae.decode(np.zeros((ROWS, 2), "float32"), {"visible": batch["visible"]}).numpy()
    each = batch["x"] * np.log(p) + (1 - batch["x"]) * np.log1p(-p)
    np.testing.assert_allclose(found, -(batch["counted"] * each).sum(axis=(1, 2, 3)), rtol=1e-4)


def test_it_learns_what_can_be_known_and_trains_no_encoder():
    """The least is the entropy of three copies: of their shares in these rows."""
    vae, batch = conditional(), pixels()
    encoder = [w.numpy() for w in vae.encoder.weights]
    network = predicting.PlainNetwork(vae)
    network.compile(keras.optimizers.Adam(0.02), jit_compile=False)
    network.fit(batch, epochs=60, batch_size=100, verbose=0)
    nll = network.predict(batch, verbose=0).mean()
    alike = (batch["x"] == batch["x"][:, :1, :1]).astype(float)
    white = batch["x"][:, 0, 0, 0] > 0
    least = 0.0
    for kind in (white, ~white):
        share = alike[kind].mean(axis=0).ravel()[1:]
        entropies = -share * np.log(share) - (1 - share) * np.log1p(-share)
        least += kind.mean() * entropies.sum()
    assert least <= nll + 1e-6 < least + 0.02
    assert all(map(np.array_equal, encoder, [w.numpy() for w in vae.encoder.weights]))


def test_a_row_is_of_the_presets_held_out_images(monkeypatch):
    task = QUADRANTS_TABLES["quadrants"].tasks[1]
    row = QUADRANTS_TABLES["quadrants"].rows["digits-two-seen"]
    monkeypatch.setattr(predicting.PlainNetwork, "fit", lambda *_, **__: None)
    found = predicting.run_quadrants(row, 0)["two-seen"]["nll"]
    # Untrained, its probabilities are nearly the training data's means: by hand, of half the image.
    loaded = data.load("digits", fields=("x", "counted"), quadrants=2)
    test = {
        name: np.concatenate([batch[name] for batch in loaded[1].as_numpy_iterator()])
        for name in ("x", "counted")
    }
    p = np.clip(data.mean(loaded[0]), 1e-3, 1 - 1e-3)
    each = test["counted"] * (test["x"] * np.log(p) + (1 - test["x"]) * np.log1p(-p))
    assert found == [pytest.approx(-each.sum(axis=(1, 2, 3)).mean(), rel=0.2)]
    assert test["counted"].mean() == 0.5
    assert presets.get(task.preset)["dataset"] == "digits"


def test_rows_are_named_once():
    table = QUADRANTS_TABLES["quadrants"]
    assert len(table.rows) == 3 * len(table.tasks)
    assert {task.seen(method) for task in table.tasks for method in task.methods} == {1, 2, 3}
