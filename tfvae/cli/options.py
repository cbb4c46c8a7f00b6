"""Options made from the settings of a run, and the types that commands share."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tfvae.data.catalogue import CATALOGUE, describe
from tfvae.runs.config import groups
from tfvae.runs.fields import SettingError
from tfvae.runs.files import check_writable
from tfvae.suggestions import nearest

SEED = click.IntRange(-(2**31), 2**31 - 1)


class OutputFile(click.Path):
    """A file to write in the end: that it can't be written shows at the beginning."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, dir_okay=False)

    def convert(self, value: Any, param: Any, ctx: Any) -> Path:
        """The path, or a failure that says why nothing can be written there."""
        path = super().convert(value, param, ctx)
        if not path.name:
            self.fail(f"{value!r} is no file's name.", param, ctx)
        try:
            check_writable(path)
        except OSError as error:
            self.fail(str(error), param, ctx)
        return path


class RunName(click.ParamType):
    """The name of a run: of a folder in that of the runs, and of another in that of exports."""

    name = "text"

    def convert(self, value: str, param: Any, ctx: Any) -> str:
        """The name, or a failure."""
        if value in ("", ".", "..") or set(value) & {"/", "\\", "\0"}:
            self.fail(
                f"{value!r} is not a folder's name. Expected one such as 'digits-2'; --runs-dir "
                "and --export-dir say where.",
                param,
                ctx,
            )
        return value


class Setting(click.ParamType):
    """The value of a setting: its kind reads and checks it."""

    def __init__(self, group: str, field: dataclasses.Field):
        self.group, self.field = group, field
        self.kind = field.metadata["kind"]
        self.name = self.kind.metavar()

    def get_metavar(self, param: Any, ctx: Any) -> str:
        """The kind's own, as it stands: click would make words capital."""
        return self.kind.metavar()

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Reads the text form, or fails with what was expected."""
        if not isinstance(value, str):
            return value
        try:
            if self.field.name == "dataset":
                return dataset(value)
            return self.kind.check(self.kind.parse(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class OneOf(click.ParamType):
    """One of some names; the nearest is suggested."""

    def __init__(self, what: str, names: list[str]):
        self.what, self.names = what, names
        self.name = what

    def convert(self, value: str, param: Any, ctx: Any) -> str:
        """The value, or a failure."""
        if value not in self.names:
            self.fail(
                f"no such {self.what} {value!r}.{nearest(value, self.names)} Expected one of "
                f"{', '.join(self.names)}.",
                param,
                ctx,
            )
        return value


class GroupedCommand(click.Command):
    """A command whose options for settings are listed under the settings' groups."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the command's own options first, then a section for each group."""
        sections: dict[str, list[tuple[str, str]]] = {"Options": []}
        sections.update({group.__name__: [] for group in groups()})
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            kind = parameter.type
            group = kind.group if isinstance(kind, Setting) else "Options"
            sections[group].append(record)
        for name, records in sections.items():
            with formatter.section(name):
                formatter.write_dl(records)


def setting_options(command: Callable) -> Callable:
    """Adds an option for each setting; those that are not given are None."""
    for group in reversed(groups()):
        for field in reversed(dataclasses.fields(group)):
            default = field.default
            shown = "default" if default is None else default
            if isinstance(default, tuple):
                shown = ",".join(str(number) for number in default)
            option = click.option(
                "--" + field.name.replace("_", "-"),
                field.name,
                type=Setting(group.__name__, field),
                help=f"{field.metadata['help']} [{shown}]",
            )
            command = option(command)
    return command


def dataset(value: str) -> str:
    """A data set's name, or the path of one; `ValueError` for neither, with the nearest name."""
    if value not in CATALOGUE and not Path(value).exists():
        describe(value)
    return value


def usage(error: SettingError) -> click.UsageError:
    """The error as one of usage, naming the option."""
    return click.UsageError(f"--{error.name.replace('_', '-')}: {error.reason}")
