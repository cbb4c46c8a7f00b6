"""One case for each stranger: the smallest model that it is part of, and data for that.

z has one dimension in every level, so that log p(x) is an integral that quadrature solves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import scipy.special
import scipy.stats

import tfvae
from tests.extension.members.adversary import AdversarialVAE
from tests.extension.members.labelled import LabelledVAE
from tests.extension.members.levels import TwoLevels
from tests.extension.members.likelihood import Gamma
from tests.extension.members.network import beside
from tests.extension.members.objective import MarginalKL
from tests.extension.members.posterior import Kumaraswamy
from tests.extension.members.prior import Laplace
from tfvae.heads import IndependentBernoulli, MultivariateNormalDiag
from tfvae.networks import MLP
from tfvae.objectives import ELBO
from tfvae.priors import StandardNormal

ROWS, SHAPE, COLUMNS, CLASSES = 48, (4, 4, 1), 5, 3
BATCH, SEED = 16, 11

_RNG = np.random.default_rng(0)
# Something to learn: two patterns, each bit flipped with probability 0.1.
LABEL = _RNG.integers(0, CLASSES, ROWS).astype("int32")
_PATTERNS = (_RNG.random((CLASSES, *SHAPE)) > 0.5)[LABEL]
IMAGES = (_PATTERNS ^ (_RNG.random((ROWS, *SHAPE)) < 0.1)).astype("float32")
TABLE = (np.exp(_RNG.normal(size=(ROWS, 1))) * _RNG.gamma(3.0, 1.0, (ROWS, COLUMNS))).astype(
    "float32"
)


def bits(model, z, x, **given):
    """log p(x|z) of a Bernoulli, in SciPy: `[G]` for codes `[G, D]` and one image."""
    logits = model.decoder.parameters({"z": z, **given} if given else z)["logits"].numpy()
    logits = logits.astype("float64").reshape(len(z), -1)
    x = x.reshape(-1).astype("float64")
    return logits @ x - np.sum(np.logaddexp(0.0, logits), axis=1)


def gammas(model, z, x):
    """log p(x|z) of a table's row, in SciPy."""
    found = {k: v.numpy().astype("float64") for k, v in model.decoder.parameters(z).items()}
    return scipy.stats.gamma.logpdf(x, found["concentration"], scale=1 / found["rate"]).sum(axis=1)


def laplace(model, z):
    """log p(z) of the learned prior, in SciPy."""
    loc, scale = model.prior.loc.numpy(), np.exp(model.prior.log_scale.numpy())
    return scipy.stats.laplace.logpdf(z, loc, scale).sum(axis=1)


def standard_normal(model, z):
    """log p(z) in SciPy."""
    return scipy.stats.norm.logpdf(z).sum(axis=1)


@dataclass(frozen=True)
class Case:
    """A model with a stranger in it.

    Attributes:
        name: of the case.
        make: makes the model.
        data: what it learns from, by field.
        optimizer: what `compile` is given.
        falls: the logged value that training lowers.
        log_prior, log_likelihood: of codes on a grid, in SciPy; None where z has levels.
        normal: whether the posterior is Normal and the prior too, so that the KL splits.
        annealed: whether it says anything new of annealed chains.
    """

    name: str
    make: Callable[[], Any]
    data: Mapping[str, np.ndarray] = field(default_factory=lambda: {"x": IMAGES})
    optimizer: Callable[[], Any] = lambda: keras.optimizers.Adam(2e-2)
    falls: str = "loss"
    log_prior: Callable[..., np.ndarray] = standard_normal
    log_likelihood: Callable[..., np.ndarray] = bits
    normal: bool = True
    annealed: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def inputs(self) -> Any:
        """What `fit` is given: an array of the only field, else a dict."""
        return dict(self.data) if len(self.data) > 1 else self.data["x"]

    def given(self, rows: int) -> dict[str, np.ndarray]:
        """The conditions of the first examples."""
        return {name: values[:rows] for name, values in self.data.items() if name != "x"}

    def one_given(self) -> dict[str, Any]:
        """The conditions of the first example, for all samples."""
        return {name: values[0] for name, values in self.given(1).items()}

    def first(self, rows: int) -> Any:
        """The first examples, in the form of `inputs`."""
        found = {name: values[:rows] for name, values in self.data.items()}
        return found if len(found) > 1 else found["x"]

    def built(self) -> Any:
        """A fresh, compiled model with the same weights each time."""
        keras.utils.set_random_seed(3)
        model = self.make()
        model.build(model.input_shapes())
        # XLA takes seconds, and tests/conformance has it.
        model.compile(self.optimizer(), jit_compile=False)
        return model


def encoder(head=MultivariateNormalDiag, network=None):
    return tfvae.Encoder(network or MLP([8]), head(1))


def decoder(head=IndependentBernoulli, shape=SHAPE, network=None):
    return tfvae.Decoder(network or MLP([8]), head(shape))


def labelled():
    below, above = beside(CLASSES, 8)
    return LabelledVAE(encoder(network=below), decoder(network=above), CLASSES, seed=5)


def vae(encoder=encoder, decoder=decoder, **parts):
    return tfvae.VAE(encoder(), decoder(), seed=5, **parts)


def two_optimizers():
    return {"model": keras.optimizers.Adam(2e-2), "adversary": keras.optimizers.SGD(1e-2)}


CASES = [
    Case(
        "posterior", lambda: vae(encoder=lambda: encoder(Kumaraswamy)), normal=False, annealed=True
    ),
    Case(
        "likelihood",
        lambda: vae(decoder=lambda: decoder(Gamma, (COLUMNS,))),
        data={"x": TABLE},
        log_likelihood=gammas,
    ),
    Case("prior", lambda: vae(prior=Laplace(1)), log_prior=laplace, normal=False),
    Case("objective", lambda: vae(objective=MarginalKL(0.5))),
    Case("labelled", labelled, data={"x": IMAGES, "label": LABEL}, annealed=True),
    Case(
        "levels",
        lambda: TwoLevels(encoder(), decoder(), StandardNormal(1), ELBO(), seed=5),
        normal=False,
        annealed=True,
    ),
    Case(
        "adversary",
        lambda: AdversarialVAE(encoder(), decoder(), seed=5),
        optimizer=two_optimizers,
        falls="nll",
    ),
]
NAMES = [case.name for case in CASES]
