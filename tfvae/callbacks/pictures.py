"""Pictures of a model while it trains."""

import os
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfvae.checks import int32, positive_int
from tfvae.data.naming import by_name
from tfvae.errors import UserError, UserImportError
from tfvae.models.capabilities import Decodes, Encodes, Generates, require
from tfvae.training.inputs import checked_inputs
from tfvae.training.replicas import is_chief

_COLUMNS = 8


class PictureGrid(keras.callbacks.Callback):
    """Draws reconstructions and samples after an epoch, as PNG files and for TensorBoard.

    Writes `reconstructions-0001.png` and `samples-0001.png` for the first epoch, and so on. The
    samples are of the same codes each time, so that the files make a film. To TensorBoard go the
    same pictures without titles, under "reconstructions" and "samples".

    Args:
        directory: Where the PNG files are written; made when training begins. None writes none.
        images: Images `[N, H, W, C]` to reconstruct, or a dict of the model's fields, the first 16
            of them; held-out ones say more. Conditions of the samples are theirs, in turn.
        every: Draw each so many epochs, at least 1.
        tensorboard_dir: The log directory of TensorBoard, or None (default) for none.
        num_samples: Samples from the prior, at least 1. Default 64.
        seed: Of the samples.

    Raises:
        UserError: if an argument is out of range, there is nowhere to write to, or, when training
            begins, the images are not what the model takes.
        ImportError: if TensorBoard is asked for and not installed.
        OSError: when training begins, if the directory cannot be made.

    Example:
        >>> import numpy as np
        >>> PictureGrid("pictures", np.zeros((16, 8, 8, 1), "float32"), every=10).every
        10
    """

    def __init__(
        self,
        directory: str | os.PathLike | None,
        images: Any,
        every: int = 1,
        tensorboard_dir: str | os.PathLike | None = None,
        num_samples: int = 64,
        seed: int = 0,
    ):
        super().__init__()
        if directory is None and tensorboard_dir is None:
            raise UserError("PictureGrid needs a directory, a tensorboard_dir, or both.")
        if tensorboard_dir is not None:
            _require_tensorboard()
        self.directory = None if directory is None else Path(directory)
        self.images = tf.nest.map_structure(lambda v: np.asarray(v)[: 2 * _COLUMNS], images)
        self.every = positive_int("every", every)
        self.tensorboard_dir = tensorboard_dir
        self.num_samples = positive_int("num_samples", num_samples)
        self.seed = int32("seed", seed)
        self._writer: Any = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Checks the images and makes the directory, so that no epoch is trained in vain."""
        require(self.model, "PictureGrid", Encodes, Decodes, Generates)
        fields = self.model.fields()
        checked = checked_inputs(self.images, fields, "images")
        self._examples = by_name(checked, fields, "images")
        self._given: dict[str, Any] = {
            name: np.resize(self._examples[name], (self.num_samples, *field.shape))
            for name, field in self.model.conditions().items()
        }
        if not is_chief(self.model.distribute_strategy):  # one worker writes
            return
        if self.directory is not None:
            self.directory.mkdir(parents=True, exist_ok=True)
        if self.tensorboard_dir is not None:
            self._writer = tf.summary.create_file_writer(os.fspath(self.tensorboard_dir))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Draws the pictures."""
        if (epoch + 1) % self.every or not is_chief(self.model.distribute_strategy):
            return
        if self.directory is not None:
            self._write_files(epoch + 1)
        if self._writer is not None:
            self._write_summaries(epoch)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Closes TensorBoard's file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _write_files(self, number: int) -> None:
        from tfvae.evaluation import pictures  # matplotlib, and only where files are wanted

        pictures.reconstructions(
            self.model,
            self._examples,
            columns=_COLUMNS,
            save=self.directory / f"reconstructions-{number:04d}.png",
        )
        pictures.prior_samples(
            self.model,
            self.num_samples,
            seed=self.seed,
            save=self.directory / f"samples-{number:04d}.png",
            **self._given,
        )

    def _write_summaries(self, epoch: int) -> None:
        from tfvae.evaluation.canvas import tile

        images = next(iter(self._examples.values()))
        pairs = np.stack([images, self.model.reconstruct(self._examples).numpy()], axis=1)
        samples = self.model.sample(self.num_samples, seed=self.seed, **self._given).numpy()
        with self._writer.as_default():
            sheet = tile(pairs.reshape(-1, *pairs.shape[2:]), _COLUMNS)
            tf.summary.image("reconstructions", sheet[None], step=epoch)
            tf.summary.image("samples", tile(samples, _COLUMNS)[None], step=epoch)
        self._writer.flush()


def _require_tensorboard() -> None:
    try:
        import tensorboard  # noqa: F401 TensorFlow draws summaries of images with it
    except ImportError as error:
        raise UserImportError(
            "tensorboard_dir needs TensorBoard: pip install 'tfvae[tensorboard]', or leave "
            "tensorboard_dir out and have PNG files only."
        ) from error
