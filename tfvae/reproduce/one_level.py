"""The rows that compare models of one level: posteriors, priors, objectives, discrete latents."""

from collections.abc import Mapping
from typing import Any

from tfvae.reproduce.rows import Published, Row, Section

_SEEDS = (0, 1, 2)
# At equal epochs and, with three seeds each, in equal time.
_POSTERIORS: dict[str, dict[str, Any]] = {
    "diag": {},
    "tril": {"posterior": "tril"},
    "realnvp-4": {"posterior": "realnvp", "num_steps": 4},
    "iaf-4": {"posterior": "iaf", "num_steps": 4},
}
_PACE = "tril"  # whose time the others are given
_OTHER_POSTERIORS: dict[str, dict[str, Any]] = {
    "iaf-2": {"posterior": "iaf", "num_steps": 2},
    "spline-4": {"posterior": "spline", "num_steps": 4},
    "planar-10": {"posterior": "planar", "num_steps": 10},
    "mixture-3": {"posterior": "mixture", "num_components": 3},
}
_IWAE = {"objective": "importance_weighted"}
_GRADIENTS = ("sticking_the_landing", "doubly_reparameterised", "score_function", "vimco")

# Y. Burda, R. Grosse and R. Salakhutdinov, 2016, arXiv:1509.00519, table 1: this network, one
# stochastic layer, dynamic MNIST, 5000 samples; batches of 20.
_BURDA = "Burda et al. 2016, {}, 3280 epochs"
BURDA = {
    "diag": Published(-86.76, _BURDA.format("VAE")),
    "iwae-5": Published(-85.54, _BURDA.format("IWAE-5")),
    "iwae-50": Published(-84.78, _BURDA.format("IWAE-50")),
}


def one_level(
    table: str,
    preset: str,
    bits: tuple[str, Mapping[str, Any]],
    epochs: int,
    components: int,
    latent_size: int,
    equal_time: Mapping[str, int],
    published: Mapping[str, Published],
) -> tuple[Section, ...]:
    """The sections that compare models of one level.

    Args:
        table: Its name, for commands in its text.
        preset: Of the models with real latents.
        bits: Preset and changes of the sigmoid belief network, trained by the score function.
        epochs: Of every row, but for those of equal time.
        components: Of the priors that are mixtures.
        latent_size: D of the real latents: as many Householder steps make any full covariance.
        equal_time: Row -> as many epochs of it as take the time of `tril`'s, which
            `tests/benchmark/paces.py` measures.
        published: Row -> what a paper reports.
    """

    def row(name: str, changes: Mapping[str, Any] | None = None, **options: Any) -> Row:
        options = {"epochs": epochs, "published": published.get(name), **options}
        return Row(name, preset, changes or {}, **options)

    def of_bits(name: str, changes: Mapping[str, Any]) -> Row:
        return Row(name, bits[0], {**bits[1], **changes}, epochs, published=published.get(name))

    mixture = {"num_components": components}
    reflections = {"posterior": "householder", "num_steps": latent_size}
    others = {**_OTHER_POSTERIORS, "householder": reflections}
    return (
        Section(
            "Posteriors",
            "At equal epochs, with a standard normal prior and the ELBO. A number in a name counts "
            "steps, or components.",
            (
                *(row(name, changes, seeds=_SEEDS) for name, changes in _POSTERIORS.items()),
                *(row(name, changes) for name, changes in others.items()),
            ),
        ),
        Section(
            "Posteriors at equal time",
            f"As many epochs of each as take the processor's time of {epochs} of `{_PACE}`: one "
            "process trained all four in turns, on two cores of an AMD EPYC (`python -m "
            f"tests.benchmark.paces {table} {','.join([*equal_time, _PACE])}`). The learning rate "
            "falls over all of them.",
            tuple(
                row(f"{name}-equal-time", _POSTERIORS[name], epochs=count, seeds=_SEEDS)
                for name, count in equal_time.items()
            ),
            beside=(_PACE,),
        ),
        Section(
            "Priors",
            f"With a diagonal posterior and the ELBO. The two mixtures have {components} "
            "components each.",
            (
                row("prior-mixture", {"prior": "mixture", **mixture}),
                row("prior-vamp", {"prior": "vamp", **mixture}),
                row("prior-realnvp", {"prior": "realnvp"}),
                row("prior-autoregressive", {"prior": "autoregressive"}),
            ),
            beside=("diag",),
        ),
        Section(
            "Objectives and gradients",
            "With a diagonal posterior and a standard normal prior.",
            (
                row("iwae-5", {**_IWAE, "num_samples": 5}),
                *(
                    row(
                        f"iwae-5-{gradient.replace('_', '-')}",
                        {**_IWAE, "num_samples": 5, "gradient": gradient},
                    )
                    for gradient in _GRADIENTS
                ),
                row("iwae-50", {**_IWAE, "num_samples": 50}),
            ),
            beside=("diag",),
        ),
        Section(
            "Discrete latents",
            "A sigmoid belief network, linear in both directions, on data whose bits are drawn "
            "once. The last row relaxes the bits, and its likelihood is that of the relaxed model, "
            "not of bits.",
            (
                of_bits("sbn-nvil", {"gradient": "score_function"}),
                of_bits("sbn-no-baseline", {"gradient": "score_function", "baseline": False}),
                *(
                    of_bits(f"sbn-vimco-{k}", {**_IWAE, "num_samples": k, "gradient": "vimco"})
                    for k in (5, 50)
                ),
                of_bits(
                    "sbn-concrete",
                    {
                        "posterior": "relaxed_bernoulli",
                        "prior": "relaxed_bernoulli",
                        "gradient": "pathwise",
                    },
                ),
            ),
        ),
    )
