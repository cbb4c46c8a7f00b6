"""`tfvae list`."""

import click

from tfvae import catalogue, docstrings, values
from tfvae.settings.known import flag
from tfvae.signatures import REQUIRED, Argument
from tfvae.suggestions import nearest


@click.command("list", short_help="Show the members of the family, or one of them.")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """Show the members by kind, or the arguments, the equation and the source of one.

    NAME is one of a member, or "package.module:Class" of your own.
    """
    if name is None:
        for kind in catalogue.KINDS:
            click.echo(f"{flag(kind)}  {catalogue.KINDS[kind].text}")
            for member in catalogue.members(kind):
                doc = catalogue.signature(kind, member).doc
                click.echo(f"  {member:20} {docstrings.summary(doc)}")
        return
    kinds = [kind for kind in catalogue.KINDS if name in catalogue.members(kind)]
    if not kinds and ":" not in name:
        known = [member for kind in catalogue.KINDS for member in catalogue.members(kind)]
        raise click.UsageError(f"no such member {name!r}.{nearest(name, known)}")
    for kind in kinds or ["model"]:
        _show(kind, name)


def _show(kind: str, name: str) -> None:
    signature = catalogue.signature(kind, name)
    chosen_by = f"{flag(kind)} {name}: " if name in catalogue.members(kind) else ""
    click.echo(f"{chosen_by}{signature.path}\n\n{docstrings.summary(signature.doc)}")
    settings = catalogue.arguments(kind, name)
    for title, text in (
        ("Arguments", "\n\n".join(map(_argument, settings.values())) or "None."),
        ("Equation", docstrings.equation(signature.doc)),
        ("References", docstrings.section(signature.doc, "References")),
    ):
        if text:
            click.echo(
                f"\n{title}:\n{click.formatting.wrap_text(text, 100, '  ', '  ', True)}"
                if title == "Arguments"
                else f"\n{title}:\n{_indented(text)}"
            )


def _argument(argument: Argument) -> str:
    default = "required"
    if argument.default is not REQUIRED:
        default = f"default {values.default_text(argument.default)}"
    return f"{argument.name}: {argument.annotation}, {default}. {argument.text}"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
