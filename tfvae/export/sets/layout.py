"""Where the sets of an export folder are, and which of them is published.

    mnist/sets/5-3fa9c1d204ab/{encoder/5, decoder/5, vae/5, decoder.tflite, ..., manifest.json}
    mnist/current    -> sets/5-3fa9c1d204ab         replaced as a whole, which publishes the set
    mnist/encoder    -> current/encoder             and likewise for every other name
    mnist/sets/5-3fa9c1d204ab/encoder/4 -> ../../4-99d1c0a7be52/encoder/4      a version kept

Whoever follows `mnist/encoder/5` while another set is published sees the one or the other: links
are followed anew on every opening, and a version that was there stays there, through the last kind.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from tfvae.export.publishing import SETS, STAGING, ExportError, flush_names
from tfvae.export.sets.manifest import version_of

CURRENT = "current"
JOURNAL = ".publishing"  # in it the name of a set that is being published
_NEXT = ".current"
_KEPT = re.compile(r"\.\./\.\./([0-9]+-[0-9a-f]{12})/([^/]+)/([1-9][0-9]*)")


def sets_of(directory: Path) -> dict[str, int]:
    """Names of the sets in an export folder -> their versions, rising."""
    folder = directory / SETS
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    found = {name: version_of(name) for name in names}
    return dict(sorted(((n, v) for n, v in found.items() if v), key=lambda pair: pair[::-1]))


def current_set(directory: Path) -> Path | None:
    """The folder of the set that is published; None before the first.

    Raises:
        ExportError: if something else has its name.
    """
    link = directory / CURRENT
    if not os.path.lexists(link):
        return None
    target = Path(os.readlink(link)) if link.is_symlink() else Path()
    if target.parent != Path(SETS) or version_of(target.name) is None:
        raise ExportError(
            f"{link} is no link to a set such as {SETS}/5-0123456789ab. Move it away, or export to "
            "another folder."
        )
    return directory / target


def leads_to_current(link: Path) -> bool:
    """Whether this is one of an export folder's links to what the published set holds."""
    return link.is_symlink() and Path(os.readlink(link)) == Path(CURRENT, link.name)


def refuse_foreign(directory: Path, names: Iterable[str]) -> None:
    """Raises `ExportError` where something else has the name of a link that a set needs."""
    foreign = [n for n in names if os.path.lexists(directory / n)]
    foreign = [n for n in foreign if not leads_to_current(directory / n)]
    if foreign:
        raise ExportError(
            f"{directory} holds {', '.join(sorted(foreign))}, which no set of it has made. Move it "
            "away, or export to another folder."
        )


def is_kept(path: Path, inside: Path) -> bool:
    """Whether a path in a set's folder is the link to a version of an older set."""
    if not path.is_symlink():
        return False
    found = _KEPT.fullmatch(os.readlink(path))
    return found is not None and inside.parts == (found[2], found[3])


def keep_versions(directory: Path, staged: Path, version: int) -> None:
    """Links the SavedModels of all older sets into a staged one."""
    for name, number in sets_of(directory).items():
        if number == version:
            continue
        for folder in (directory / SETS / name).glob(f"*/{number}"):
            if not folder.is_symlink():
                link = staged / folder.parent.name / str(number)
                link.parent.mkdir(exist_ok=True)
                link.symlink_to(Path("..", "..", name, link.parent.name, str(number)))


def switch(directory: Path, staged: Path, name: str) -> None:
    """Publishes a staged set under this name: one replacement of one link.

    Killed at whatever point, it leaves the old set published or the new one, and `recover` removes
    the other.

    Raises:
        OSError: if the file system refuses; nothing is published then.
    """
    sets = directory / SETS
    refuse_foreign(directory, [path.name for path in staged.iterdir()])
    (sets / JOURNAL).write_text(name)
    flush_names(sets)
    try:
        if (sets / name).exists():  # made before, from the same files
            _mend(staged, sets / name)
        else:
            os.rename(staged, sets / name)
        for path in sorted((sets / name).iterdir()):
            link = directory / path.name
            if not os.path.lexists(link):
                link.symlink_to(Path(CURRENT, path.name))
        (directory / _NEXT).unlink(missing_ok=True)
        (directory / _NEXT).symlink_to(Path(SETS, name))
        flush_names(sets)
        os.replace(directory / _NEXT, directory / CURRENT)
        flush_names(directory)
    finally:
        recover(directory)


def _mend(staged: Path, published: Path) -> None:
    """Puts the files of a set in the place of those that are there, which should be equal."""
    for path in sorted(staged.rglob("*")):
        target = published / path.relative_to(staged)
        if path.is_file() and not path.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)


def recover(directory: Path) -> None:
    """Removes what an export that did not come to its end, or the one before it, has left behind.

    Call it while no other export is under way.
    """
    sets = directory / SETS
    journal, current = sets / JOURNAL, current_set(directory)
    with contextlib.suppress(FileNotFoundError):
        name = journal.read_text()
        version, published = version_of(name), None if current is None else current.name
        for other, number in sets_of(directory).items():
            replaced = number == version and name == published
            if other != published and (other == name or replaced):
                shutil.rmtree(sets / other, ignore_errors=True)
        (directory / _NEXT).unlink(missing_ok=True)
        for link in directory.iterdir():
            if leads_to_current(link) and not link.exists():
                link.unlink()
        journal.unlink()


def sweep(directory: Path, mine: Path) -> None:
    """`recover`, and the hidden folders of exports that were killed."""
    recover(directory)
    for folder in (directory / SETS).glob(f"{STAGING}*"):
        if folder.name != mine.name:
            shutil.rmtree(folder, ignore_errors=True)
