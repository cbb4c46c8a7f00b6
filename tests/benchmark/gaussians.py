"""Held-out nats of scikit-learn's tables under its Gaussian and Gaussian mixtures.

What `tfvae train --dataset TABLE --standardise true` is compared with: the same rows, in the
table's own units. `python -m tests.benchmark.gaussians` prints a line for each; the number of
components, and what is added to the variances of standardised columns, are those with the best
score on a fifth of the training rows.
"""

import itertools

import numpy as np
from sklearn.mixture import GaussianMixture

from tfvae import data

TABLES = ("breast_cancer", "wine", "diabetes")
SEED = 0
ADDED = (1e-6, 1e-4, 1e-3, 1e-2, 0.1)


def mixture(rows, num_components, added):
    """A fitted mixture of full covariances."""
    made = GaussianMixture(num_components, reg_covar=added, n_init=3, random_state=SEED)
    return made.fit(rows)


def best(rows, numbers):
    """The number of components and what is added, by the score on a fifth of the rows."""
    shuffled = np.random.default_rng(SEED).permutation(rows)
    held_out, fitted = np.split(shuffled, [len(rows) // 5])
    found = itertools.product(numbers, ADDED)
    return max(found, key=lambda choice: mixture(fitted, *choice).score(held_out))


def scores(table):
    """{(components, added): log p(x) [rows]} of one component, and of the best number."""
    train, test = data.load(table, standardise=True)
    rows, held_out = (
        np.concatenate(list(part.as_numpy_iterator())).astype("float64") for part in (train, test)
    )
    change = data.log_jacobian(test)
    choices = (best(rows, [1]), best(rows, range(1, 7)))
    return {chosen: mixture(rows, *chosen).score_samples(held_out) + change for chosen in choices}


if __name__ == "__main__":
    for name in TABLES:
        for (components, added), nats in scores(name).items():
            error = nats.std(ddof=1) / np.sqrt(len(nats))
            fitted = f"{name:14} {components} components, {added:g} added"
            print(f"{fitted:40} {nats.mean():8.2f} +- {error:.2f}")
