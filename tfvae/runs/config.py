"""`config.json`: the settings of a run, the versions of the libraries, and what its data were."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfvae.data.fingerprint import fingerprint
from tfvae.errors import UserError, UserFileNotFoundError
from tfvae.runs.files import read_object, write_text
from tfvae.settings.errors import SettingError
from tfvae.settings.reading import settings
from tfvae.settings.settings import Settings
from tfvae.values import as_text

SCHEMA = 1  # a setting that is new, with a default, does not change it
EPOCHS = "--epochs"  # a run goes on with more of them


def read_config(path: Path) -> Settings:
    """The settings of a run; what an older revision did not have yet is at its default.

    Raises:
        UserFileNotFoundError: if there is no run.
        UserError: if the file is damaged or of a newer schema.
    """
    content = _content(path)
    schema, found = content.get("schema"), content.get("settings")
    stages = content.get("stages", {})
    groups = [found, stages, *(stages.values() if isinstance(stages, dict) else ())]
    if type(schema) is not int or not all(isinstance(group, dict) for group in groups):
        raise UserError(f"{path} is damaged: expected a schema number and settings.")
    if schema > SCHEMA:
        raise UserError(
            f"{path} has schema {schema}, and this version of tfvae reads up to "
            f"{SCHEMA}. Install the version that wrote it, or a newer one."
        )
    try:
        return settings(found, stages=stages)
    except SettingError as error:
        raise UserError(f"{path} is damaged or of another version: {error}") from error


def write_config(
    path: Path, config: Settings, versions: Mapping[str, str], data: str | None = None
) -> None:
    """Writes the settings of a run, whole or not at all.

    Args:
        path: The file.
        config: The settings.
        versions: Of the libraries.
        data: The fingerprint of the data set; None where that is the run's own.
    """
    stages = {name: dict(stage) for name, stage in config.stages.items()}
    content = {"schema": SCHEMA, "settings": dict(config), "versions": dict(versions)}
    content |= {"data": data} if data else {}
    content |= {"stages": stages} if stages else {}
    write_text(path, json.dumps(content, indent=2) + "\n")


def changed_versions(path: Path, versions: Mapping[str, str]) -> list[str]:
    """Which of the libraries are of another version than where the run began, in words."""
    found = _content(path).get("versions")
    began = found if isinstance(found, dict) else {}
    return [
        f"{name} {began[name]} there and {now} here"
        for name, now in versions.items()
        if began.get(name, now) != now
    ]


def read_fingerprint(path: Path) -> str | None:
    """The fingerprint of the data set of a run; None where that is the run's own."""
    found = _content(path).get("data")
    return found if isinstance(found, str) else None


def refuse_other_data(path: Path) -> None:
    """Raises `UserError` if the data set of the run of this file holds something else by now."""
    began, dataset = read_fingerprint(path), read_config(path)["dataset"]
    if began is not None and fingerprint(dataset) != began:
        raise UserError(
            f"{path.parent} is a run on other data: {dataset} has been replaced since (fingerprint "
            f"{began} there, {fingerprint(dataset)} here). Put the old data back, or train on the "
            "new with a folder of its own, by --name, or in the place of this run, by --overwrite."
        )


def extends(path: Path, here: Settings) -> bool:
    """Whether this is the run of the file with more epochs, and nothing else."""
    there = read_config(path)
    same = {**there.flat(), EPOCHS: None} == {**here.flat(), EPOCHS: None}
    return same and here["epochs"] > there["epochs"]


def refuse_other(path: Path, here: Settings) -> None:
    """Raises `UserError` naming the settings in which the run of the file differs.

    More epochs are no difference.
    """
    if extends(path, here):
        return
    theirs, ours = read_config(path).flat(), here.flat()
    differing = [
        f"{name} is {_said(theirs, name)} there and {_said(ours, name)} here"
        for name in {**ours, **theirs}
        if _said(theirs, name) != _said(ours, name)
    ]
    if differing:
        raise UserError(
            f"{path.parent} holds another run: {'; '.join(differing)}. Give this run a folder "
            "of its own with --name, or replace the other with --overwrite."
        )


def _content(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise UserFileNotFoundError(
            f"{path.parent} holds no run: there is no {path.name}. Expected a folder that "
            "`tfvae train` wrote, such as runs/digits."
        )
    return read_object(path)


def _said(values: Mapping[str, Any], name: str) -> str:
    return as_text(values[name]) if name in values else "absent"
