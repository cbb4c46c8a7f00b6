"""Every `tfvae` command of every page is one that the command line takes, flags and values too."""

import re
import shlex
from pathlib import Path

import click
import pytest

from tests.docs.pages import NAMES, blocks, inline_code
from tfvae import catalogue, presets
from tfvae.cli.main import cli
from tfvae.cli.settings import SettingsCommand, given_settings
from tfvae.runs.config import write_config

SHELL = ("sh", "console")


def commands(name):
    """The arguments of each command: of blocks for a shell, and of whole commands in backticks."""
    lines = [line for b in blocks(name) if b.kind in SHELL for line in b.text.splitlines()]
    lines += [code for code in inline_code(name) if re.match(r"tfvae \w+ ", code)]
    for line in lines:
        for part in line.removeprefix("$ ").split("&&"):
            words = shlex.split(part, comments=True)
            if words and Path(words[0]).name == "tfvae":
                yield words[1:]


COMMANDS = [(name, words) for name in NAMES for words in commands(name)]


def make_what_it_names(words):
    """The runs, files and folders that a command is given, in the present folder."""
    for word in (part for each in words for part in each.split(",")):
        if word.startswith("runs/"):
            Path(word).mkdir(parents=True, exist_ok=True)
            write_config(Path(word, "config.json"), presets.get(), {})
            Path(word, "model.keras").touch()
        elif re.fullmatch(r"\w+\.(csv|npy|npz|parquet)", word):
            Path(word).touch()
        elif "/" in word and not word.startswith("-"):
            Path(word).mkdir(parents=True, exist_ok=True)


@pytest.mark.parametrize(
    ("name", "words"), [pytest.param(n, w, id=f"{n}:{' '.join(w)}"[:90]) for n, w in COMMANDS]
)
def test_command_is_taken(name, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_what_it_names(words)
    if words[:1] == ["--help"]:
        return
    command = cli.get_command(click.Context(cli), words[0])
    assert command is not None, f"no command {words[0]}"
    if {"-h", "--help"} & set(words):
        words = [word for word in words if word not in ("-h", "--help")]
    context = command.make_context(words[0], words[1:])
    if isinstance(command, SettingsCommand):
        assert given_settings(context, context.params["preset"] or presets.DEFAULT)
    if words[0] == "list" and context.params["name"]:
        known = [member for kind in catalogue.KINDS for member in catalogue.members(kind)]
        assert context.params["name"] in known


@pytest.mark.parametrize(
    "words", ["train --epoch 3", "train mnits", "export runs/a --variant int8"]
)
def test_a_flag_that_is_gone_fails(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(click.UsageError):
        test_command_is_taken("", words.split(), tmp_path, monkeypatch)


def test_commands_were_found():
    assert {"README.md", "docs/guide/train.md"} <= {name for name, _ in COMMANDS}
    assert len(COMMANDS) > 20
