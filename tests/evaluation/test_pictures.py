"""Pictures: what is where, and what is written. Whether they please was seen by looking."""

import keras
import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

import tfvae
from tests.evaluation.models import bits, digits_model
from tests.extension.members.prior import Laplace
from tfvae import heads, networks
from tfvae.evaluation import canvas, charts, latent_codes, pictures
from tfvae.heads import LatentPiecewise, NormalAndPiecewise
from tfvae.priors import MixtureOfGaussians, NormalAndPiecewisePrior, PiecewisePrior


@pytest.fixture(scope="module")
def model():
    return digits_model(2)


def sheet_of(figure):
    """The tiled image that a figure shows."""
    return figure.axes[0].images[0].get_array()


def test_tiles_are_laid_out_in_rows():
    images = np.arange(5, dtype="float32")[:, None, None, None] / 4 * np.ones((5, 2, 3, 1))
    sheet = canvas.tile(images, columns=3)
    assert sheet.shape == (2 * 2 + 1, 3 * 3 + 2, 3)
    np.testing.assert_array_equal(sheet[:2, 4:7], 0.25)
    np.testing.assert_array_equal(sheet[3:, :3], 0.75)
    np.testing.assert_array_equal(sheet[3:, 8:], 1.0)  # there is no sixth image
    np.testing.assert_array_equal(sheet[2], 1.0)
    colour = np.random.default_rng(0).uniform(size=(1, 4, 4, 3)).astype("float32")
    np.testing.assert_array_equal(canvas.tile(colour, 1), colour[0])


def test_reconstructions_lie_under_their_originals(model, tmp_path):
    x = bits(5)
    figure = pictures.reconstructions(model, x, columns=3, save=tmp_path / "new" / "pairs.png")
    sheet = sheet_of(figure)
    assert sheet.shape == (4 * 9 - 1, 3 * 9 - 1, 3)
    np.testing.assert_array_equal(sheet[18:26, 9:17, 0], x[4, ..., 0])
    rebuilt = model.reconstruct(x).numpy()
    np.testing.assert_allclose(sheet[27:35, 9:17, 0], rebuilt[4, ..., 0], atol=1e-5)
    assert isinstance(figure, Figure)
    png = (tmp_path / "new" / "pairs.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert figure._repr_png_().startswith(b"\x89PNG")  # what a notebook shows


def test_names_of_rows_are_not_cut_off(tmp_path):
    """matplotlib's layout cuts them where a sheet of this shape fills the figure's height."""
    figure, _ = canvas.show(np.zeros((80, 28, 28, 1)), 10, "", ["reconstruction"] * 8)
    figure.finish(tmp_path / "sheet.png")
    margin = matplotlib.image.imread(tmp_path / "sheet.png")[:, :5, :3]
    np.testing.assert_array_equal(margin, 1.0)


def test_samples_are_those_of_the_model(model):
    sheet = sheet_of(pictures.prior_samples(model, 6, seed=4, columns=4))
    expected = model.sample(6, seed=4).numpy()
    np.testing.assert_allclose(sheet[9:17, 9:17, 0], expected[5, ..., 0], atol=1e-6)
    assert (
        "temperature 0.5" in pictures.prior_samples(model, 2, temperature=0.5).axes[0].get_title()
    )


def test_manifold_is_a_grid_of_quantiles(model):
    figure = pictures.latent_manifold(model, size=4)
    sheet = sheet_of(figure)
    assert sheet.shape == (4 * 9 - 1, 4 * 9 - 1, 3)
    low, high = -1.1503494, 1.1503494  # the Normal's 1/8 and 7/8 quantiles
    corners = model.decoder(np.array([[low, high], [high, low]], "float32")).mean().numpy()
    np.testing.assert_allclose(sheet[:8, :8, 0], corners[0, ..., 0], atol=1e-5)
    np.testing.assert_allclose(sheet[27:, 27:, 0], corners[1, ..., 0], atol=1e-5)
    with pytest.raises(ValueError, match=r"needs 2 latent dimensions, and the model has 3"):
        pictures.latent_manifold(digits_model(3))


def test_manifold_follows_the_prior():
    model = digits_model(2, prior=Laplace(2))
    model.prior.loc.assign([1.0, -1.0])
    low, high = 1.0 + np.array([-1, 1]) * np.log(4.0), -1.0 + np.array([-1, 1]) * np.log(4.0)
    assert pictures.has_manifold(model)
    sheet = sheet_of(pictures.latent_manifold(model, size=4))  # F^-1(1/8) = loc - scale log 4
    corner = model.decoder(np.array([[low[0], high[1]]], "float32")).mean().numpy()
    np.testing.assert_allclose(sheet[:8, :8, 0], corner[0, ..., 0], atol=1e-5)


def test_no_manifold_of_coordinates_that_depend_on_each_other():
    model = digits_model(2, prior=MixtureOfGaussians(2, num_components=3))
    assert not pictures.has_manifold(model)
    with pytest.raises(ValueError, match="MixtureOfGaussians has no quantiles of its coordinates"):
        pictures.latent_manifold(model)
    assert not pictures.has_manifold(digits_model(3))
    assert pictures.has_manifold(digits_model(2))


def test_traversals_move_one_dimension(model):
    x = bits(20)
    figure = pictures.traversals(model, x, num_dimensions=5, steps=3, span=2.0)
    assert sheet_of(figure).shape == (2 * 9 - 1, 3 * 9 - 1, 3)
    means = latent_codes(model, x)
    first = int(np.argmax(np.var(means, axis=0)))
    assert figure.axes[0].get_yticklabels()[0].get_text().startswith(f"$z_{{{first}}}$")
    code = means[:1].copy()
    code[0, first] = 2.0
    expected = model.decoder(code.astype("float32")).mean().numpy()
    np.testing.assert_allclose(sheet_of(figure)[:8, 18:, 0], expected[0, ..., 0], atol=1e-5)


def test_traversals_stay_where_the_prior_has_mass():
    model = digits_model(2, prior=PiecewisePrior(2), posterior=LatentPiecewise)
    x = bits(20)
    figure = pictures.traversals(model, x, num_dimensions=1, steps=3)
    assert figure.axes[0].get_xlabel() == "from 0 to 1"
    means = latent_codes(model, x)
    code = means[:1].copy()
    code[0, np.argmax(np.var(means, axis=0))] = 1.0
    expected = model.decoder(code.astype("float32")).mean().numpy()
    np.testing.assert_allclose(sheet_of(figure)[:8, 18:, 0], expected[0, ..., 0], atol=1e-5)
    mixed = digits_model(2, prior=NormalAndPiecewisePrior(2), posterior=NormalAndPiecewise)
    axes = pictures.traversals(mixed, bits(1), steps=3).axes[0]
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == ["$z_{0}$\n-3 to 3", "$z_{1}$\n0 to 1"]
    assert axes.get_xlabel() == ""


def test_interpolations_end_at_the_images(model):
    starts, ends = bits(2), bits(2, seed=1)
    sheet = sheet_of(pictures.interpolations(model, starts, ends, steps=3))
    assert sheet.shape == (2 * 9 - 1, 5 * 9 - 1, 3)
    np.testing.assert_array_equal(sheet[9:, :8, 0], starts[1, ..., 0])
    np.testing.assert_array_equal(sheet[9:, 36:, 0], ends[1, ..., 0])
    middle = (latent_codes(model, starts) + latent_codes(model, ends)) / 2
    expected = model.decoder(middle.astype("float32")).mean().numpy()
    np.testing.assert_allclose(sheet[9:, 18:26, 0], expected[1, ..., 0], atol=1e-5)
    with pytest.raises(ValueError, match="starts has 2 images and ends 1"):
        pictures.interpolations(model, starts, ends[:1])


@pytest.mark.parametrize("latent_size", [1, 2, 6])
def test_scatter_says_what_its_axes_are(latent_size, tmp_path):
    model, x = digits_model(latent_size), bits(40)
    figure = pictures.latent_scatter(model, x, np.arange(40) % 3, save=tmp_path / "scatter.png")
    axes = figure.axes[0]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["0", "1", "2"]
    if latent_size == 6:
        assert "two principal components of 6 dimensions" in axes.get_title()
        assert axes.get_xlabel().startswith("component 1 (")
    else:
        assert axes.get_xlabel() == "$z_0$"
    assert (tmp_path / "scatter.png").stat().st_size > 1000
    with pytest.raises(ValueError, match=r"labels has shape \(39,\) and there are 40"):
        pictures.latent_scatter(model, x, np.zeros(39))


def test_principal_components_are_scikit_learns():
    from sklearn.decomposition import PCA

    means = np.random.default_rng(0).normal(size=(50, 4)) * [1, 5, 2, 0.1]
    points, shares = charts._principal(means)
    pca = PCA(2).fit(means)
    np.testing.assert_allclose(np.abs(points), np.abs(pca.transform(means)), atol=1e-8)
    np.testing.assert_allclose(shares, pca.explained_variance_ratio_)


def test_training_curves_draw_what_was_logged(tmp_path):
    history = keras.callbacks.History()
    history.history = {"elbo": [-3.0, -2.0], "val_elbo": [-4.0, -3.0], "kl": [1.0, 2.0]}
    figure = pictures.training_curves(history, save=tmp_path / "curves.png")
    assert [axes.get_title() for axes in figure.axes] == ["elbo", "kl"]
    training, validation = figure.axes[0].lines
    np.testing.assert_array_equal(training.get_xydata(), [[1, -3], [2, -2]])
    np.testing.assert_array_equal(validation.get_ydata(), [-4, -3])
    columns = {"epoch": ["10", "11"], "kl": ["1.5", "2"]}  # as csv reads history.csv
    line = pictures.training_curves(columns).axes[0].lines[0]
    np.testing.assert_array_equal(line.get_xydata(), [[11, 1.5], [12, 2]])
    with pytest.raises(ValueError, match=r"None of \['nll'\] was logged"):
        pictures.training_curves(history, names=["nll"])


def test_one_image_is_no_row(model):
    x = bits(2)
    for call in (
        lambda: pictures.latent_manifold(model, size=1),
        lambda: pictures.traversals(model, x, steps=1),
        lambda: pictures.interpolations(model, x, x, steps=1),
    ):
        with pytest.raises(ValueError, match="must be an integer of at least 2, received 1"):
            call()


def test_images_are_checked(model):
    with pytest.raises(ValueError, match="divide by 255"):
        pictures.reconstructions(model, bits(2) * 255)


def test_a_single_image_is_walked_from_and_scattered():
    model = digits_model(3)
    figure = pictures.traversals(model, bits(1), num_dimensions=2, steps=3)
    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert names == ["$z_{0}$", "$z_{1}$"]  # numbered as latent_codes' columns are
    (points,) = pictures.latent_scatter(model, bits(1)).axes[0].collections
    np.testing.assert_array_equal(points.get_offsets(), [[0.0, 0.0]])


def test_forty_labels_have_a_scale_that_names_them(model):
    figure = pictures.latent_scatter(model, bits(80), np.arange(80) % 40)
    assert not figure.legends
    bar = figure.axes[1]
    assert bar.get_ylabel() == "label, 40 in all"
    named = [text.get_text() for text in bar.get_yticklabels()]
    assert (named[0], named[-1]) == ("0", "39")


def test_the_points_of_an_autoencoder_are_codes_and_those_of_a_vae_posterior_means(model):
    point = tfvae.Autoencoder(
        tfvae.Encoder(networks.MLP([4]), heads.PointCode(3)),
        tfvae.Decoder(networks.MLP([4]), heads.IndependentBernoulli((8, 8, 1))),
    )
    point.build((None, 8, 8, 1))
    title = pictures.latent_scatter(point, bits(9)).axes[0].get_title()
    assert title == "Codes: two principal components of 3 dimensions"
    assert pictures.latent_scatter(model, bits(9)).axes[0].get_title() == "Posterior means"


def test_the_legend_is_clear_of_a_long_title():
    model = tfvae.presets.model("digits", posterior="planar", latent_size=10, units=(4,))
    figure = pictures.latent_scatter(model, bits(40), np.arange(40) % 10)
    figure.draw_without_rendering()
    title = figure.axes[0].title
    assert title.get_text().startswith("Posterior means from 256 draws: two principal components")
    box, legend = title.get_window_extent(), figure.legends[0].get_window_extent()
    assert box.x1 > legend.x0  # it reaches that far
    assert not box.overlaps(legend)


def test_a_single_epoch_is_seen():
    figure = pictures.training_curves({"elbo": [-3.0], "val_elbo": [-4.0]})
    axes = figure.axes[0]
    assert [line.get_marker() for line in axes.lines] == ["o", "o"]
    assert all(float(tick).is_integer() for tick in axes.get_xticks())
