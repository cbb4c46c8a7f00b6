"""The settings of a run, in groups: name, default, range and one line each."""

from dataclasses import dataclass

from tfvae.runs.fields import check_group, setting
from tfvae.runs.kinds import Choice, Number, Text, WholeNumbers

_COUNT = Number(whole=True, minimum=1)
_ACTIVATIONS = ("relu", "tanh", "elu", "gelu", "leaky_relu", "selu", "silu", "softplus", "sigmoid")


class _Group:
    def __post_init__(self):
        check_group(self)


@dataclass(frozen=True)
class Data(_Group):
    """Data."""

    dataset: str = setting(
        "digits", Text(), "Data set's name, a .npy or .npz file, or a folder of images."
    )
    binarisation: str = setting(
        "auto",
        Choice(("auto", "dynamic", "static", "none")),
        "Bits drawn from grey levels anew each epoch, once, or not at all.",
    )
    test_fraction: float | None = setting(
        None,
        Number(above=0, below=1, optional=True),
        "Share of images held out, of data without a test set.",
    )
    image_size: tuple[int, ...] | None = setting(
        None, WholeNumbers(length=2, optional=True), "Height and width that a folder's images get."
    )
    batch_size: int = setting(128, _COUNT, "Images a step.")


@dataclass(frozen=True)
class Model(_Group):
    """Model."""

    network: str = setting("mlp", Choice(("mlp", "conv")), "Kind of encoder and decoder network.")
    units: tuple[int, ...] = setting(
        (200, 200),
        WholeNumbers(empty=True),
        "Widths of the dense layers; with conv, those between convolutions and latent.",
    )
    filters: tuple[int, ...] = setting(
        (32, 64), WholeNumbers(), "Channels of the convolutions.", only=("network", "conv")
    )
    kernel_size: int = setting(
        3, _COUNT, "Side of the convolutions' kernels.", only=("network", "conv")
    )
    activation: str = setting("relu", Choice(_ACTIVATIONS), "Of the hidden layers.")
    latent_size: int = setting(10, _COUNT, "Number of latent dimensions.")
    posterior: str = setting(
        "diag", Choice(("diag", "tril")), "Covariance of q(z|x): diagonal or full."
    )
    prior: str = setting(
        "standard_normal",
        Choice(("standard_normal", "mixture")),
        "p(z): N(0, I), or a learned mixture of Gaussians.",
    )
    mixture_components: int = setting(
        10, _COUNT, "Components of the mixture.", only=("prior", "mixture")
    )
    likelihood: str = setting(
        "auto",
        Choice(("auto", "bernoulli", "normal")),
        "p(x|z); auto is bernoulli for binary pixels, else normal.",
    )
    likelihood_scale: float | str = setting(
        "learned",
        Choice(("learned",), Number(above=0)),
        "Standard deviation of a pixel.",
        only=("likelihood", "normal"),
    )


@dataclass(frozen=True)
class Objective(_Group):
    """Objective."""

    objective: str = setting(
        "elbo", Choice(("elbo", "importance_weighted")), "What training maximises."
    )
    num_samples: int = setting(1, _COUNT, "Draws of z for each image and step.")
    kl_weight: float = setting(
        1.0, Number(minimum=0), "Factor of the KL in the loss.", only=("objective", "elbo")
    )
    kl_warmup_epochs: int = setting(
        0,
        Number(whole=True, minimum=0),
        "Epochs in which the KL's factor rises from 0.",
        only=("objective", "elbo"),
    )
    free_bits: float = setting(
        0.0,
        Number(minimum=0),
        "Nats of each latent dimension that cost nothing.",
        only=("objective", "elbo"),
    )
    gradient: str = setting(
        "pathwise",
        Choice(("pathwise", "doubly_reparameterised")),
        "Gradient estimator.",
        only=("objective", "importance_weighted"),
    )


@dataclass(frozen=True)
class Training(_Group):
    """Training."""

    epochs: int = setting(100, _COUNT, "Passes over the training images.")
    learning_rate: float = setting(1e-3, Number(above=0), "Of Adam, at the start.")
    schedule: str = setting(
        "constant", Choice(("constant", "cosine")), "Of the learning rate, over all epochs."
    )
    final_learning_rate: float = setting(
        0.01,
        Number(minimum=0, maximum=1),
        "Share of the learning rate that is left at the end.",
        only=("schedule", "cosine"),
    )
    epsilon: float = setting(1e-7, Number(above=0), "Of Adam.")
    seed: int = setting(
        0, Number(whole=True, minimum=0, below=2**31), "Of weights, order and noise."
    )
    dtype_policy: str = setting(
        "float32", Choice(("float32", "mixed_bfloat16")), "Precision of the networks."
    )
    steps_per_execution: int | None = setting(
        None, Number(whole=True, minimum=1, optional=True), "Steps in one call of the graph."
    )


@dataclass(frozen=True)
class Evaluation(_Group):
    """Evaluation."""

    eval_samples: int = setting(
        5000, _COUNT, "Draws of z for each image in the importance-weighted likelihood."
    )
    eval_images: int | None = setting(
        None,
        Number(whole=True, minimum=1, optional=True),
        "Evaluate only so many of the held-out images.",
    )
