"""A true posterior of two modes in [0, 1], and what laws come nearest to it, by SciPy alone.

`python -m tests.heads.two_modes PICTURE` prints KL(q || p) of each, and draws them.
"""

import itertools
import sys

import numpy as np
import scipy.integrate
import scipy.optimize
import scipy.stats

MODES, SPREAD, SHARES = (0.2, 0.8), 0.07, (0.6, 0.4)
COUNTS = (3, 5, 7, 20)
COLOURS = {7: "tab:orange", 20: "tab:green"}


def two_modes(z):
    """The density p(z)."""
    return sum(
        share * scipy.stats.norm.pdf(z, mode, SPREAD)
        for share, mode in zip(SHARES, MODES, strict=True)
    )


def kl_to_two_modes(log_density, edges):
    """KL(q || p) by quadrature between the edges."""

    def integrand(z):
        return np.exp(log_density(z)) * (log_density(z) - np.log(two_modes(z)))

    pairs = itertools.pairwise(edges)
    return sum(scipy.integrate.quad(integrand, low, high)[0] for low, high in pairs)


def kl_of_normal(loc, scale):
    """That of a Normal, over six standard deviations to each side."""
    law = scipy.stats.norm(loc, scale)
    return kl_to_two_modes(law.logpdf, np.linspace(loc - 6 * scale, loc + 6 * scale, 13))


def kl_of_histogram(log_densities):
    """That of a histogram, from the logarithms of its heights."""
    count = len(log_densities)
    edges = np.arange(count + 1) / count
    return kl_to_two_modes(lambda z: log_densities[min(int(z * count), count - 1)], edges)


def best_histogram(count):
    """Log heights of the nearest histogram: pi_i in proportion to exp of the mean of log p."""
    means = [
        count * scipy.integrate.quad(lambda z: np.log(two_modes(z)), low, high)[0]
        for low, high in itertools.pairwise(np.arange(count + 1) / count)
    ]
    return np.array(means) - np.log(np.mean(np.exp(means)))


def best_normal():
    """Mean and standard deviation of the nearest Normal, from a wide start and from a mode's."""
    found = [
        scipy.optimize.minimize(lambda p: kl_of_normal(p[0], np.exp(p[1])), start, tol=1e-3)
        for start in ([0.5, -1.0], [0.25, -2.0])
    ]
    loc, log_scale = min(found, key=lambda each: each.fun).x
    return loc, np.exp(log_scale)


def main(path):
    """Prints the divergences and draws the densities."""
    from matplotlib.figure import Figure

    normal = best_normal()
    print(f"Normal({normal[0]:.2f}, {normal[1]:.2f}): KL {kl_of_normal(*normal):.3f} nats")
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.subplots()
    z = np.linspace(-0.1, 1.1, 601)
    axes.fill_between(z, two_modes(z), color="0.85", label="p")
    axes.plot(z, scipy.stats.norm.pdf(z, *normal), color="tab:blue", label="Normal")
    for count in COUNTS:
        log_densities = best_histogram(count)
        print(f"{count} pieces: KL {kl_of_histogram(log_densities):.3f} nats")
        if count in COLOURS:
            edges = np.arange(count + 1) / count
            axes.stairs(np.exp(log_densities), edges, color=COLOURS[count], label=f"{count} pieces")
    axes.set_xlabel("z")
    axes.set_ylabel("density")
    axes.set_ylim(bottom=0.0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    main(sys.argv[1])
