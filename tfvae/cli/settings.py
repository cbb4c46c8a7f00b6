"""Options for the settings of a run: what there is follows from the members that are chosen."""

import os
from pathlib import Path

import click

from tfvae import catalogue, presets, values
from tfvae.data.catalogue import CATALOGUE, describe
from tfvae.docstrings import first_sentence
from tfvae.errors import UserError
from tfvae.settings.errors import SettingError
from tfvae.settings.groups import GROUPS
from tfvae.settings.known import flag, member_arguments, short_names
from tfvae.settings.reading import settings
from tfvae.settings.settings import Settings
from tfvae.signatures import Argument
from tfvae.suggestions import nearest

_GIVEN, _PRESET = "tfvae.given", "tfvae.preset"  # where a context keeps what was typed


class SettingsCommand(click.Command):
    """A command that takes `--NAME VALUE` for each setting of a run besides its own options.

    Which there are depends on the values of others (`--prior.num-components` on `--prior mixture`),
    so they are taken out before click parses the rest.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Takes the settings out, and has click parse the rest."""
        own = _own(ctx)
        given, rest, words = {}, [], iter(args)
        for word in words:
            option, equals, text = word.partition("=")
            if not option.startswith("--") or option in (*own, "--"):
                rest.append(word)
                continue
            if not equals:
                text = next(words, "--")
                if text.startswith("--"):
                    raise click.UsageError(f"{option} wants a value.{nearest(option, own)}", ctx)
            given[option] = text
        ctx.meta[_GIVEN] = given
        ctx.meta[_PRESET] = next((word for word in rest if word in presets.PRESETS), None)
        return super().parse_args(ctx, rest)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the command's own options, then the settings and what they are by now."""
        super().format_options(ctx, formatter)
        current = given_settings(ctx, ctx.meta[_PRESET] or presets.DEFAULT)
        owned = member_arguments({kind: current.get(kind) for kind in catalogue.KINDS})
        shorts = {names[0]: short for short, names in short_names(owned).items() if len(names) == 1}
        for title, group in GROUPS.items():
            with formatter.section(title.capitalize()):
                formatter.write_dl([_record(n, a, current) for n, a in group.settings().items()])
        for kind in filter(current.__contains__, catalogue.KINDS):
            about = catalogue.KINDS[kind].text
            first = (f"{flag(kind)} NAME", f"{about} [{values.as_text(current[kind])}]")
            names = ", ".join(catalogue.members(kind))
            mine = {n: a for n, a in owned.items() if n.startswith(f"{kind}.")}
            with formatter.section(f"{kind.capitalize()} ({names})"):
                formatter.write_dl(
                    [first, *(_record(n, a, current, shorts.get(n)) for n, a in mine.items())]
                )
        for stage, its in current.stages.items():
            with formatter.section(f"Stage {stage}, on the {its['dataset']}"):
                about = f"Any of the settings above, such as --{stage}.epochs."
                formatter.write_dl([(f"--{stage}.NAME VALUE", about)])


def given_settings(ctx: click.Context, preset: str) -> Settings:
    """The settings of a preset with those of the command line.

    Raises:
        click.UsageError: names the option as it was typed.
    """
    options = {o.removeprefix("--").replace("-", "_"): o for o in ctx.meta[_GIVEN]}
    try:
        texts = {name: ctx.meta[_GIVEN][option] for name, option in options.items()}
        _check_dataset(texts.get("dataset"))
        base = presets.PRESETS[preset]
        return settings(texts, base.changes, values.parse, base.stages)
    except SettingError as error:
        option = options.get(error.name, flag(error.name))
        known = (*error.known, *_own(ctx)) if error.known else ()
        hint = nearest(option, known)
        raise click.UsageError(f"{option}: {error.reason}{hint}", ctx) from None


def _own(ctx: click.Context) -> list[str]:
    """The options that are no settings."""
    return [name for parameter in ctx.command.get_params(ctx) for name in parameter.opts]


def _check_dataset(name: str | None) -> None:
    """A data set's name, or the path of one; refused for neither, with the nearest name."""
    if name is None or name in CATALOGUE or Path(name).exists():
        return
    if Path(name).suffix or "/" in name or os.sep in name:
        raise SettingError(
            "dataset",
            f"no such file or folder: {name} (looked for in {Path.cwd()}). Expected a .npy, .npz, "
            ".csv or .parquet file, or a folder of images.",
        )
    try:
        describe(name)
    except UserError as error:
        raise SettingError("dataset", str(error)) from None


def _record(
    name: str, argument: Argument, current: Settings, short: str | None = None
) -> tuple[str, str]:
    """An option and its line in a help page."""
    options = ", ".join(map(flag, (short, name) if short else (name,)))
    value = f" [{values.as_text(current[name])}]" if name in current else ""
    return (
        f"{options} {values.metavar(argument.annotation)}",
        f"{first_sentence(argument.text)}{value}",
    )
