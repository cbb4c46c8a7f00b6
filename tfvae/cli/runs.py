"""The run that a command works on."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tfvae.runs.folder import RunFolder

if TYPE_CHECKING:
    from tfvae.models import VAE


class Run(click.ParamType):
    """The folder of a finished run."""

    name = "run"

    def convert(self, value: Any, param: Any, ctx: Any) -> RunFolder:
        """The folder, or a failure that says where runs are."""
        folder = RunFolder(value)
        if folder.config.is_file():
            if not folder.trained:
                self.fail(
                    f"the run in {value} is not finished: give its `tfvae train` command again, "
                    "and it goes on.",
                    param,
                    ctx,
                )
            return folder
        inside = Path("runs", value)
        hint = f" Did you mean {inside}?" if (inside / "config.json").is_file() else ""
        problem = "holds no run" if os.path.exists(value) else "does not exist"
        self.fail(
            f"{value} {problem}.{hint} Expected a folder that `tfvae train` wrote, such as "
            "runs/digits.",
            param,
            ctx,
        )


def load_run(folder: RunFolder) -> "VAE":
    """The run's model, TensorFlow being loaded first."""
    from tfvae.cli.quiet import load_tensorflow

    load_tensorflow()
    return folder.read_model()
