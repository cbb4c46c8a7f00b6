"""The entry point: finds the command, and turns what it raises into a message and an exit code."""

import importlib
import os
import sys
from typing import Any

import click

from tfvae import __version__
from tfvae.errors import UserError
from tfvae.suggestions import nearest

COMMANDS = (
    "train",
    "evaluate",
    "sample",
    "classify",
    "anomaly",
    "impute",
    "explore",
    "denoise",
    "super-resolve",
    "segment",
    "export",
    "verify",
    "serve",
    "drift",
    "benchmark",
    "reproduce",
    "list",
)


class Commands(click.Group):
    """The group of commands, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of a run's life."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command of a name, or None."""
        if name not in COMMANDS:
            return None
        return importlib.import_module(f"tfvae.cli.{name.replace('-', '_')}").command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Finds the command; an unknown one is refused with the nearest name."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(
                f"No such command {args[0]!r}.{nearest(args[0], COMMANDS)} Expected one of "
                f"{', '.join(COMMANDS)}.",
                ctx,
            )
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tfvae")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Variational autoencoders, from training to a served file."""


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and exits: 0 on success, 1 for an error, 2 for a usage error."""
    quiet_tensorflow()
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    try:
        cli.main(arguments, prog_name="tfvae", standalone_mode=False)
    except click.exceptions.Exit as request:
        sys.exit(request.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        fail("interrupted", 130)
    except BrokenPipeError:  # of `tfvae list | head`; what is left to flush would raise again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except ModuleNotFoundError as error:
        if debug or not error.name or error.name.startswith("tfvae"):
            raise
        fail(
            f"{error.name} is not installed. Run: pip install 'tfvae[serving]' for the server's "
            "libraries, or install tfvae anew for the others.",
            1,
        )
    except Exception as error:
        if debug or not is_known(error):
            raise
        fail(message(error), 1)


def quiet_tensorflow() -> None:
    """Hides the start-up notes of TensorFlow's C++ side; whoever sets the variable decides."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def is_known(error: Exception) -> bool:
    """Whether an error is the user's, or the machine's; any other is a bug."""
    if isinstance(error, UserError | MemoryError):
        return True
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(error, tensorflow.errors.OpError)


def message(error: Exception) -> str:
    """What is printed of an error that is the user's."""
    from tfvae.cli.wording import in_flags  # reads source files, and only where there is an error

    return in_flags(str(error)) or type(error).__name__


def fail(text: str, code: int) -> None:
    """Prints the message to standard error and exits."""
    click.echo(f"Error: {text}", err=True)
    sys.exit(code)
