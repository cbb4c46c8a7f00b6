"""Named settings of runs: each preset lists only what differs from the defaults."""

from dataclasses import dataclass, field
from typing import Any

from tfvae.errors import UserError
from tfvae.settings.reading import settings
from tfvae.settings.settings import Settings
from tfvae.suggestions import nearest


@dataclass(frozen=True)
class Preset:
    """A description of one line, and the settings that differ from the defaults.

    Attributes:
        description: One line.
        changes: Of the run, and so of its first stage.
        stages: Name -> changes of a further stage, with "dataset": "codes of STAGE", draws from
            q(z|x), or "means of STAGE".
    """

    description: str
    changes: dict[str, Any]
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)


_ADAM = {"learning_rate": 2e-3, "schedule": "cosine", "epsilon": 1e-4}
# The network that papers share, after Burda et al. 2016, arXiv:1509.00519, one stochastic layer.
_MNIST = {
    "dataset": "mnist",
    "network.activation": "tanh",
    "latent_size": 50,
    "epochs": 800,
    **_ADAM,
}
# With relu and gradients of the KL alone, the encoder's units are dead after 60 steps and stay so.
# 500 draws in the evaluation: a draw costs ten times that of the network above.
_MNIST_CONV = {
    "dataset": "mnist",
    "network": "conv",
    "network.filters": (16, 32),
    "network.kernel_size": 4,
    "network.units": (256,),
    "network.activation": "elu",
    "latent_size": 50,
    "epochs": 60,
    "eval_samples": 500,
    **_ADAM,
}
# The sigmoid belief network of Mnih and Gregor 2014, arXiv:1402.0030: 784-200, bits drawn once.
_MNIST_SBN = {
    "dataset": "mnist",
    "binarisation": "static",
    "network": "linear",
    "posterior": "bernoulli",
    "prior": "bernoulli",
    "latent_size": 200,
    "objective.gradient": "score_function",
    **_ADAM,
}
_DIGITS = {
    "network.activation": "tanh",
    "epochs": 400,
    "learning_rate": 2e-3,
    "schedule": "cosine",
}

_FEW_LABELS = {"model": "semi_supervised", "fields": ("x", "label"), "labels": 100}
# Bits of 8x8 digits say too little: logistic regression with 100 labels is wrong on 20 % of them,
# on 9 % of the grey ones. With the paper's alpha, 0.1, q(y|x) was wrong on 19 % after 50 epochs.
_DIGITS_FEW_LABELS = {
    **{name: value for name, value in _DIGITS.items() if name != "epochs"},  # 100 are enough
    **_FEW_LABELS,
    "binarisation": "none",
    "likelihood": "normal",
    "model.alpha": 5.0,
}
# Chosen on held-out training labels, by short trainings: q(y|x) is sure too early, of clusters that
# are no digits, unless labelled rows are in every step and hold p(x|y, z) to their classes, a small
# z leaves something to y, the classifier's loss weighs most, and hidden pixels keep it from
# learning 100 images by heart.
_MNIST_FEW_LABELS = {
    **_MNIST,
    **_FEW_LABELS,
    "labelled_per_batch": 32,
    "model.alpha": 50.0,
    "model.bound_share": 0.4,
    "latent_size": 8,
    "corruption": "masking",
    "epochs": 30,
    "eval_samples": 500,
}
_GIVEN_LABELS = {"model": "conditional", "fields": ("x", "label")}

# One quadrant is seen and three are drawn: Sohn et al. 2015, section 5.1.
_GIVEN_QUADRANTS = {
    "model": "conditional",
    "model.counted": "counted",
    "fields": ("x", "visible", "counted"),
    "quadrants": 1,
    "prior": "conditional_normal",
}
# Half of the height and width is given; grey levels, as what is drawn is measured in decibels.
_GIVEN_SMALL = {
    "model": "conditional",
    "fields": ("x", "low"),
    "low_resolution": 2,
    "binarisation": "none",
    "prior": "conditional_normal",
}
_NOISY = {"binarisation": "none", "corruption": "additive_normal"}
# Kohl et al. 2018, arXiv:1806.05034: six latent dimensions, a U-Net, p(z|x).
_SEGMENTATION = {
    "model": "conditional",
    "fields": ("x", "image"),
    "network": "unet",
    "prior": "conditional_normal",
    "prior.units": (64,),
    "latent_size": 6,
    **_ADAM,
}
# The table, the share of holes and the likelihood of Mattei and Frellsen 2019, arXiv:1812.02633.
_MISSING = {
    "dataset": "breast_cancer",
    "standardise": True,
    "missing": 0.5,
    "model": "missing_data",
    "network.units": (128, 128),
    "likelihood": "student_t",
    "objective": "importance_weighted",
    "objective.num_samples": 20,
    "epochs": 400,
}
# In half of the columns large values are missing: Ipsen, Mattei and Frellsen 2021, section 4, whose
# "self-masking known" knows so.
_SELF_MASKING = {
    **_MISSING,
    "missing_pattern": "large",
    "network.activation": "tanh",
    "likelihood": "normal",
    "missing_process": "self_masking",
    "missing_process.hides": "large",
}
# Grey images of which a rectangle is missing; what fills it at random has to be grey as well.
_HOLES = {
    "model": "missing_data",
    "binarisation": "none",
    "likelihood": "normal",
    "missing": 0.25,
    "missing_pattern": "block",
    "objective": "importance_weighted",
    "objective.num_samples": 20,
}

# The document model of Miao et al. 2016, arXiv:1511.06038, with fewer units, for fewer documents.
_DOCSTRINGS = {
    "dataset": "docstrings",
    "likelihood": "multinomial",
    "network.units": (200,),
    "network.activation": "tanh",
    "latent_size": 50,
    "epochs": 60,
    "learning_rate": 2e-3,
    "schedule": "cosine",
    "eval_samples": 500,
}

# Half the squared error as loss, which is what PCA minimises.
_AUTOENCODER = {
    "model": "autoencoder",
    "binarisation": "none",
    "likelihood": "normal",
    "likelihood.scale": 1.0,
}

# No latent variables: log p(x) of bits, exact.
_PIXEL_CNN = {"model": "pixel_cnn", "learning_rate": 2e-3, "schedule": "cosine"}

# Whole numbers for codes, [4, 4] of 8 for digits and [7, 7] of 128 for 28 x 28 pixels, and a
# PixelCNN that learns them. Of [2, 2] of 32 it learns nothing from 1,438 digits: 14.5 nats, where
# uniform codes cost 13.9.
_VQ = {"model": "vq_vae", **_ADAM}
_DIGITS_VQ = {
    **_VQ,
    "network.filters": (32,),
    "quantiser.num_codes": 8,
    "latent_size": 16,
    "epochs": 200,
}
_MNIST_VQ = {**_VQ, "dataset": "mnist", "latent_size": 32, "epochs": 15}
_CODE_PRIOR = {**_PIXEL_CNN, "dataset": "codes of first", "conditionals.first_kernel_size": 3}
_DIGITS_PRIOR = {
    **_CODE_PRIOR,
    "conditionals.num_levels": 8,
    "conditionals.filters": 16,
    "conditionals.num_layers": 3,
    "epochs": 30,
}
_MNIST_PRIOR = {**_CODE_PRIOR, "conditionals.num_levels": 128, "epochs": 15}

# Two maps of codes, of which the top one has half the height and width, Razavi et al. 2019,
# arXiv:1906.00446, and a prior of both, given the label.
_VQ_2 = {**_VQ, "model": "vq_vae_2"}
_DIGITS_VQ_2 = {
    **_VQ_2,
    "dataset": "digits_canvases",
    "network.filters": (16, 32),
    "levels.filters": (32,),
    "quantiser.num_codes": 32,
    "latent_size": 16,
    "epochs": 40,
}
_MNIST_VQ_2 = {
    **_VQ_2,
    "dataset": "mnist_canvases",
    "latent_size": 32,
    "epochs": 10,
}
_LEVELS_PRIOR = {
    **_CODE_PRIOR,
    "model": "levels_pixel_cnn",
    "fields": ("x", "label"),
    "model.top_shape": (4, 4),
    "conditionals.num_levels": 32,
    "conditionals.num_layers": 4,
    "epochs": 30,
}
_MNIST_LEVELS_PRIOR = {
    **_LEVELS_PRIOR,
    "model.top_shape": (8, 8),
    "conditionals.num_levels": 128,
    "epochs": 10,
}

# The second stage of Dai and Wipf, 2019, arXiv:1903.05789: as many dimensions as the codes that it
# learns. Both decoders learn their standard deviation, so the data are grey values and not bits.
_SECOND = {"dataset": "codes of first", "learning_rate": 2e-3, "schedule": "cosine"}

# M1 + M2 of Kingma et al. 2014: M2 learns the codes of a model that has learned without labels.
# Means and not draws: one draw of each of 100 labelled rows says less than their means do.
_SECOND_WITH_LABELS = {
    **_SECOND,
    **_FEW_LABELS,
    "dataset": "means of first",
    "model.alpha": 5.0,
    "eval_samples": 500,
}

# Burda et al. 2016, arXiv:1509.00519, section 5.1: 784-200-200-100-100-100-50.
_TWO_LEVELS = {
    "model": "hierarchical",
    "latent_size": 100,
    "levels.sizes": (50,),
    "levels.units": (100,),
    "levels.activation": "tanh",
    "levels.batch_normalisation": False,
}
# Sonderby et al. 2016, arXiv:1602.02282: five levels, batch normalisation, warm-up.
_LADDER = {
    "model": "ladder",
    "network.activation": "leaky_relu",
    "network.batch_normalisation": True,
    "callback": "linear_weight",
}
# Maps of z, of NVAE's cells, arXiv:2007.03898. The fifteen levels have the settings of the
# authors' commands, with Adam for Adamax, images of 28x28, and no flow on q of CIFAR-10.
_NVAE = {
    "model": "ladder",
    "model.top_down_features": True,
    "network": "nvae",
    "posterior": "normal_map",
    "levels": "conv",
    "callback": "linear_weight",
    **_ADAM,
}

PRESETS = {
    "digits": Preset("8x8 digits, no download; about a minute", _DIGITS),
    "digits-2d": Preset(
        "8x8 digits, two latent dimensions to look at", {**_DIGITS, "latent_size": 2}
    ),
    "digits-two-stage": Preset(
        "grey digits, and a second VAE that learns the codes",
        {**_DIGITS, "binarisation": "none"},
        {"second": {**_SECOND, "epochs": 400}},
    ),
    "digits-autoencoder": Preset(
        "grey digits, a code without a prior, beside PCA", {**_DIGITS, **_AUTOENCODER}
    ),
    "digits-pixel-cnn": Preset(
        "8x8 digits pixel by pixel: log p(x) is exact",
        {**_PIXEL_CNN, "conditionals.filters": 16, "conditionals.first_kernel_size": 5},
    ),
    "digits-conditional": Preset("8x8 digits given their labels", {**_DIGITS, **_GIVEN_LABELS}),
    "digits-semi-supervised": Preset(
        "grey 8x8 digits, of which 100 have labels", _DIGITS_FEW_LABELS
    ),
    "breast-cancer-missing": Preset(
        "a table half of whose entries are missing, by MIWAE; no download", _MISSING
    ),
    "breast-cancer-self-masking": Preset(
        "a table of which large values are missing, by not-MIWAE; no download", _SELF_MASKING
    ),
    "digits-missing": Preset(
        "grey 8x8 digits with a hole in each, by MIWAE; no download", {**_DIGITS, **_HOLES}
    ),
    "docstrings": Preset(
        "words of the docstrings of Python's standard library; no download", _DOCSTRINGS
    ),
    "digits-quadrants": Preset(
        "8x8 digits: what is left of one quadrant, given that", {**_DIGITS, **_GIVEN_QUADRANTS}
    ),
    "digits-denoising": Preset(
        "grey 8x8 digits, trained to take noise away", {**_DIGITS, **_NOISY}
    ),
    "digits-super-resolution": Preset(
        "grey 8x8 digits, given 4x4 pixels of each", {**_DIGITS, **_GIVEN_SMALL}
    ),
    "digits-segmentation": Preset(
        "masks of digits on textures, in the four styles of annotators; no download",
        {
            **_SEGMENTATION,
            "dataset": "segmented_digits",
            "network.filters": (8, 16, 32),
            "network.num_convolutions": 1,
            "epochs": 25,
        },
    ),
    "mnist": Preset("the network of the literature, 784-200-200-50", _MNIST),
    "mnist-pixel-cnn": Preset(
        "28x28 bits pixel by pixel: log p(x) is exact",
        {**_PIXEL_CNN, "dataset": "mnist", "conditionals.num_layers": 7, "epochs": 10},
    ),
    "mnist-tril": Preset("the same with a full covariance", {**_MNIST, "posterior": "tril"}),
    "mnist-iwae": Preset(
        "the same trained on the importance-weighted bound, 5 draws",
        {**_MNIST, "objective": "importance_weighted"},
    ),
    "mnist-conditional": Preset("mnist given its labels", {**_MNIST, **_GIVEN_LABELS}),
    "mnist-semi-supervised": Preset("mnist, of which 100 have labels", _MNIST_FEW_LABELS),
    "mnist-quadrants": Preset(
        "mnist: what is left of one quadrant, given that; --quadrants 2 or 3 for more",
        {**_MNIST, **_GIVEN_QUADRANTS},
    ),
    "mnist-denoising": Preset(
        "grey mnist, trained to take noise away", {**_MNIST, **_NOISY, "epochs": 200}
    ),
    "mnist-missing": Preset(
        "grey mnist with a hole in each, by MIWAE", {**_MNIST, **_HOLES, "epochs": 50}
    ),
    "mnist-super-resolution": Preset(
        "grey mnist, given 14x14 pixels of each", {**_MNIST, **_GIVEN_SMALL, "epochs": 200}
    ),
    "mnist-segmentation": Preset(
        "masks of mnist on textures, in the four styles of annotators",
        {**_SEGMENTATION, "dataset": "segmented_mnist", "epochs": 5},
    ),
    "mnist-two-stage": Preset(
        "grey mnist, and a second VAE that learns the codes",
        {**_MNIST, "binarisation": "none"},
        {"second": {**_SECOND, "latent_size": 50, "epochs": 200}},
    ),
    "digits-m1-m2": Preset(
        "grey digits, 100 labels: a semi-supervised model of the codes of another",
        {**_DIGITS, "binarisation": "none"},
        {"second": {**_SECOND_WITH_LABELS, "epochs": 100}},
    ),
    "mnist-m1-m2": Preset(
        "mnist, 100 labels: a semi-supervised model of the codes of mnist",
        _MNIST,
        {
            "second": {
                **_SECOND_WITH_LABELS,
                "labelled_per_batch": 32,
                "model.alpha": 50.0,
                "model.bound_share": 0.4,
                "latent_size": 8,
                "epochs": 30,
            }
        },
    ),
    "digits-ladder": Preset(
        "8x8 digits, a ladder of three levels",
        {
            **_DIGITS,
            **_LADDER,
            "network.units": (64, 64),
            "latent_size": 8,
            "levels.sizes": (4, 2),
            "levels.units": (32, 16),
            "levels.depth": 1,
            "callback.epochs": 100,
        },
    ),
    "digits-nvae": Preset(
        "8x8 digits, three levels that are maps, of residual cells",
        {
            **_NVAE,
            "network.filters": (32,),
            "network.expansion": 3,
            "latent_size": 4 * 4 * 2,
            "levels.channels": (1, 2),
            "levels.filters": (32, 32),
            "levels.expansion": 3,
            "epochs": 160,
            "callback.epochs": 40,
            "eval_samples": 1000,
        },
    ),
    "mnist-nvae": Preset(
        "mnist, three levels of 7x7, 7x7 and 4x4 maps, of residual cells",
        {
            **_NVAE,
            "dataset": "mnist",
            "network.filters": (16, 32),
            "network.expansion": 2,
            "latent_size": 7 * 7 * 4,
            "levels.filters": (32, 64),
            "levels.expansion": 3,
            "epochs": 60,
            "callback.epochs": 15,
            "eval_samples": 500,
        },
    ),
    "mnist-nvae-paper": Preset(
        "mnist, the fifteen levels of NVAE: for a GPU, its authors took 21 hours of two V100",
        {
            **_NVAE,
            "model.merge": "residual",
            "model.combine": "sum",
            "dataset": "mnist",
            "network.filters": (64, 128),
            "network.num_cells": 3,
            "network.residual_scale": 0.1,
            "network.spectral_weight": 1e-2,
            "latent_size": 7 * 7 * 20,
            "levels.channels": (20,) * 14,
            "levels.filters": (128,) * 9 + (256,) * 5,
            "levels.strides": (1,) * 9 + (2,) + (1,) * 4,
            "levels.num_cells": 2,
            "levels.residual_scale": 0.1,
            "levels.spectral_weight": 1e-2,
            "levels.top_constant": True,
            "objective.balanced": True,
            "learning_rate": 1e-2,
            "batch_size": 400,
            "epochs": 400,
            "callback.epochs": 120,
        },
    ),
    "cifar10-nvae-paper": Preset(
        "cifar10, the thirty levels of NVAE: for GPUs, its authors took 55 hours of eight V100",
        {
            **_NVAE,
            "model.merge": "residual",
            "model.combine": "sum",
            "dataset": "cifar10",
            "likelihood": "discretised_logistic_mixture",
            "likelihood.num_components": 10,
            "network.filters": (256,),
            "network.num_cells": 2,
            "network.residual_scale": 0.1,
            "network.spectral_weight": 1e-2,
            "latent_size": 16 * 16 * 20,
            "levels.channels": (20,) * 29,
            "levels.filters": (256,) * 29,
            "levels.strides": (1,) * 29,
            "levels.num_cells": 2,
            "levels.residual_scale": 0.1,
            "levels.spectral_weight": 1e-2,
            "levels.top_constant": True,
            "objective.balanced": True,
            "learning_rate": 1e-2,
            "batch_size": 256,
            "epochs": 400,
            "callback.epochs": 120,
        },
    ),
    "mnist-two-levels": Preset(
        "mnist, the two levels of the importance-weighted autoencoder's paper",
        {**_MNIST, **_TWO_LEVELS},
    ),
    "mnist-ladder": Preset(
        "mnist, a ladder of five levels",
        {
            **_MNIST,
            **_LADDER,
            "network.units": (512, 512),
            "latent_size": 64,
            "epochs": 400,
            "callback.epochs": 100,
        },
    ),
    "digits-vq-vae": Preset(
        "8x8 digits as 4x4 codes of 8 each, and a PixelCNN that learns the codes",
        _DIGITS_VQ,
        {"second": _DIGITS_PRIOR},
    ),
    "mnist-vq-vae": Preset(
        "mnist as 7x7 codes of 128 each, and a PixelCNN that learns the codes",
        _MNIST_VQ,
        {"second": _MNIST_PRIOR},
    ),
    "fashion-vq-vae": Preset(
        "pictures of clothes as 7x7 codes of 128 each, and a PixelCNN that learns the codes",
        {**_MNIST_VQ, "dataset": "fashion_mnist"},
        {"second": _MNIST_PRIOR},
    ),
    "digits-vq-vae-2": Preset(
        "canvases of several digits as maps of 8x8 and 4x4 codes, and a prior of both",
        _DIGITS_VQ_2,
        {"second": _LEVELS_PRIOR},
    ),
    "mnist-vq-vae-2": Preset(
        "64x64 canvases of mnist as maps of 16x16 and 8x8 codes, and a prior of both",
        _MNIST_VQ_2,
        {"second": _MNIST_LEVELS_PRIOR},
    ),
    "mnist-sbn": Preset("a sigmoid belief network of 200 bits, trained by NVIL", _MNIST_SBN),
    "mnist-conv": Preset("convolutions: a better likelihood, more time a step", _MNIST_CONV),
    "fashion-mnist": Preset(
        "pictures of clothes, the network of mnist", {**_MNIST, "dataset": "fashion_mnist"}
    ),
}
DEFAULT = "digits"


def names() -> list[str]:
    """Names that `get` knows."""
    return list(PRESETS)


def get(name: str = DEFAULT, **changes: Any) -> Settings:
    """A preset: the data, the model and the training of a run, and how it is evaluated.

    `tfvae.presets.get("mnist").model()` is its model, fresh and not compiled, `.config()` the same
    as `keras.saving.deserialize_keras_object` reads it.

    Args:
        name: One of `names()`.
        **changes: Settings that replace the preset's, such as `latent_size=2`, `prior="mixture"`,
            `num_components=20` or `**{"prior.num_components": 20}`.

    Raises:
        SettingError: An unknown setting, with the nearest name, or a bad value.
        UserError: An unknown preset, with the nearest name.

    Example:
        >>> get("mnist", epochs=3)["epochs"]
        3
    """
    if name not in PRESETS:
        raise UserError(
            f"no such preset {name!r}.{nearest(name, PRESETS)} Expected one of "
            f"{', '.join(PRESETS)}."
        )
    preset = PRESETS[name]
    return settings(changes, preset.changes, stages=preset.stages)


def model(name: str = DEFAULT, **changes: Any) -> Any:
    """The model of a preset, fresh and not compiled; the arguments are those of `get`.

    Example:
        >>> model("mnist-tril", latent_size=3).encoder.head.event_shape
        (3,)
    """
    return get(name, **changes).model()
