"""Charts of a model's codes and of its training."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm
from matplotlib.ticker import MaxNLocator

from tfvae.errors import UserError
from tfvae.evaluation.canvas import Picture
from tfvae.evaluation.latents import flat_codes
from tfvae.models.capabilities import Scores
from tfvae.models.codes import code_draws, from_draws

_MOST_COLOURS = 20


def latent_scatter(
    model: Any,
    data: Any,
    labels: Sequence[Any] | np.ndarray | None = None,
    save: str | os.PathLike | None = None,
) -> Picture:
    """Draws the codes of examples as points, coloured by label. Deterministic.

    Of a model that scores these are posterior means, and the title calls them so. With more than
    two latent dimensions the first two principal components are shown, and the title says so, as
    it does where the means are from draws. With one, a histogram.

    Args:
        model: A built model that encodes.
        data: What `fit` takes.
        labels: `[N]`, any values; None draws all points alike.
        save: Where to write the figure.

    Raises:
        UserError: if there are not as many labels as examples.
    """
    means = flat_codes(model, data)
    labels = np.zeros(len(means), int) if labels is None else np.asarray(labels)
    if labels.shape != (len(means),):
        raise UserError(
            f"labels has shape {labels.shape} and there are {len(means)} examples; expected one "
            "each."
        )
    figure = Picture(figsize=(6.0, 5.0))
    axes = figure.subplots()
    means_of_q = f"Posterior means{from_draws(code_draws(model))}"
    title = means_of_q if isinstance(model, Scores) else "Codes"
    if means.shape[1] == 1:
        _histogram(axes, means[:, 0], labels)
    else:
        _points(axes, means, labels)
        if means.shape[1] > 2:
            title += f": two principal components of {means.shape[1]} dimensions"
    axes.set_title(title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    _explain(figure, axes, np.unique(labels))
    return figure.finish(save)


def _explain(figure: Picture, axes: Any, kinds: np.ndarray) -> None:
    """Says which colour is which label: by a legend, or a bar where that would be too long."""
    if 1 < len(kinds) <= _MOST_COLOURS:
        # Not at the top: a long title reaches beyond the axes.
        figure.legend(loc="outside right center", fontsize=8, frameon=False, markerscale=2)
    elif len(kinds) > _MOST_COLOURS:
        shown = np.unique(np.linspace(0, len(kinds) - 1, 10).round().astype(int)).tolist()
        scale = ScalarMappable(BoundaryNorm(np.arange(len(kinds) + 1) - 0.5, 256), "turbo")
        bar = figure.colorbar(scale, ax=axes, label=f"label, {len(kinds)} in all")
        bar.set_ticks(shown, labels=[str(kinds[i]) for i in shown])
        bar.ax.tick_params(labelsize=8)
        bar.ax.minorticks_off()


def _points(axes: Any, means: np.ndarray, labels: np.ndarray) -> None:
    if means.shape[1] == 2:
        points, names = means, ["$z_0$", "$z_1$"]
    else:
        points, shares = _principal(means)
        names = [f"component {i + 1} ({share:.0%})" for i, share in enumerate(shares)]
    dot = float(np.clip(6000 / len(points), 2.0, 16.0))
    for label, colour in _colours(labels):
        chosen = points[labels == label]
        axes.scatter(*chosen.T, s=dot, color=colour, label=str(label), alpha=0.7, linewidths=0)
    axes.set(xlabel=names[0], ylabel=names[1])
    axes.locator_params(nbins=6)
    axes.set_aspect("equal", adjustable="datalim")


def _histogram(axes: Any, means: np.ndarray, labels: np.ndarray) -> None:
    edges = np.histogram_bin_edges(means, bins=50)
    for label, colour in _colours(labels):
        axes.hist(means[labels == label], edges, color=colour, label=str(label), alpha=0.6)
    axes.set(xlabel="$z_0$", ylabel="examples")


def _principal(means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first two principal components, and the share of the variance that each has."""
    from sklearn.decomposition import PCA

    if len(means) == 1 or np.ptp(means, axis=0).max() == 0:  # shares of no variance
        return np.zeros((len(means), 2)), np.zeros(2)
    components = PCA(n_components=2).fit(means)
    return components.transform(means), components.explained_variance_ratio_


def _colours(labels: np.ndarray) -> list[tuple[Any, Any]]:
    from matplotlib import colormaps

    kinds = np.unique(labels)
    if len(kinds) <= 10:
        palette: Any = colormaps["tab10"].colors  # type: ignore[attr-defined]  # of a list of colours
    else:
        palette = colormaps["turbo"](np.linspace(0.02, 0.98, len(kinds)))
    return list(zip(kinds, palette, strict=False))


def training_curves(
    history: Any,
    names: Sequence[str] = ("elbo", "nll", "kl"),
    save: str | os.PathLike | None = None,
) -> Picture:
    """Draws logged values against the epoch, one chart for each, training and validation in one.

    Args:
        history: What `fit` returned, or a mapping from names to one value for each epoch (such as
            the columns of `history.csv`); "epoch", if it is there, numbers the epochs from 0.
        names: What to draw; `val_` is looked for as well.
        save: Where to write the figure.

    Raises:
        UserError: if none of the names was logged.
    """
    logs: Mapping[str, Sequence[float]] = getattr(history, "history", history)
    drawn = [name for name in names if name in logs]
    if not drawn:
        raise UserError(f"None of {list(names)} was logged; the history has {sorted(logs)}.")
    figure = Picture(figsize=(3.6 * len(drawn), 3.0))
    for axes, name in zip(figure.subplots(1, len(drawn), squeeze=False)[0], drawn, strict=True):
        for key, label, style in ((name, "training", "--"), (f"val_{name}", "validation", "-")):
            if key in logs:
                values = np.asarray(logs[key], float)
                epochs = np.asarray(logs.get("epoch", np.arange(len(values))), float) + 1
                marker = "o" if len(values) == 1 else None  # a line of one point is not seen
                axes.plot(epochs, values, style, marker=marker, label=label, linewidth=1.5)
        axes.set(title=name, xlabel="epoch", ylabel="nats per example")
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.legend(fontsize=8, frameon=False)
    return figure.finish(save)
