"""The images that an export is judged and calibrated with."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfvae.errors import UserError


@dataclass(frozen=True)
class TestData:
    """Images to judge and to calibrate with; None where there are none."""

    __test__ = False  # not a test case, whatever pytest makes of the name

    images: np.ndarray | None
    calibration: np.ndarray | None

    @classmethod
    def checked(
        cls, vae: Any, variants: Collection[str], images: Any, calibration_images: Any
    ) -> "TestData":
        """The data, if the model is built and all that the variants need is there and fits."""
        parts = [name for name in ("encoder", "decoder", "prior") if not getattr(vae, name).built]
        if parts:
            raise UserError(
                f"the model's {', '.join(parts)} has no weights yet: fit it, call it on a batch, "
                "or vae.build((None, *image_shape)) before exporting"
            )
        if images is None and set(variants) != {"float32"}:
            raise UserError(
                "variants other than float32 are judged by the NLL of test images: pass images=, a "
                "few hundred of them"
            )
        if calibration_images is None and "int8" in variants:
            raise UserError(
                "int8 needs the ranges of the activations: pass calibration_images=, a few hundred "
                "training images"
            )
        shape = tuple(vae.image_shape)
        return cls(
            _images("images", images, shape),
            _images("calibration_images", calibration_images, shape),
        )


def _images(name: str, images: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    if images is None:
        return None
    array = np.asarray(images, np.float32)
    if array.shape[1:] != shape or not len(array):
        raise UserError(f"{name} has shape {array.shape}; expected (N, {str(shape)[1:]}, N > 0")
    if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
        raise UserError(f"{name} has values outside [0, 1] or not finite; scale images to [0, 1]")
    return array
