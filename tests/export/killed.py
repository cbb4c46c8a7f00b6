"""Run by `test_killed.py`: exports that end at every change of the file system, one after another.

A child process ends, without any clean-up, right before its n-th change. What it leaves behind must
be the set before or the new one, whole; and the next export must leave nothing else.
"""

import os
import sys
from pathlib import Path

from tests.export.made import export_text
from tfvae.export import IntegrityError, verify
from tfvae.export.sets.layout import sets_of

CHANGES = ("mkdir", "rename", "replace", "symlink", "link", "unlink", "rmdir")
SCENES = {
    "first": [],
    "next": [{"weights": "a"}],
    "completed": [{"weights": "a"}, {"weights": "b", "files": False}],
    "again": [{"weights": "b", "servables": ()}],
}
LAST = {"again": {"weights": "b", "servables": ()}, "completed": {"weights": "b", "servables": ()}}


def die_before(number):
    """Ends this process before its n-th change of the file system."""
    seen = [0]

    def patched(change):
        def called(*arguments, **options):
            seen[0] += 1
            if seen[0] == number:
                os._exit(9)
            return change(*arguments, **options)

        return called

    for name in CHANGES:
        setattr(os, name, patched(getattr(os, name)))


def killed_at(number, directory, options):
    """Whether an export was killed at its n-th change; if not, it had fewer."""
    child = os.fork()
    if not child:
        try:
            die_before(number)
            export_text(directory, **options)
            os._exit(0)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9), (number, code)
    return code == 9


def content(directory):
    """The files of the published set, all of them checked; None where there is none."""
    if not os.path.lexists(directory / "current"):
        return None
    return dict(verify(directory).files)


def main(scene, root):
    os.fsync = lambda descriptor: None  # no power is cut here, and it takes most of the time
    number, seen = 0, []
    while True:
        number += 1
        directory = root / str(number) / "mnist"
        for options in SCENES[scene]:
            export_text(directory, **options)
        before = content(directory)
        options = LAST.get(scene, {"weights": "b"})
        if not killed_at(number, directory, options):
            break
        seen.append("old" if content(directory) == before else "new")
        export_text(directory, **options)
        for name in sets_of(directory):
            verify(directory / "sets" / name)
        hidden = list(directory.rglob(".*"))
        assert not hidden, (number, hidden)
        assert content(directory) != before or scene == "again"
        versions = sorted(sets_of(directory).values())
        assert len(set(versions)) == len(versions), (number, versions)
    print(*seen)


if __name__ == "__main__":
    try:
        main(sys.argv[1], Path(sys.argv[2]))
    except IntegrityError as error:
        sys.exit(f"not whole: {error}")
