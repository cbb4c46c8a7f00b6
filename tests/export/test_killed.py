"""An export that is killed leaves the old set, or the new one, whole; the next one sweeps up."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("scene", ["first", "next", "completed", "again"])
def test_killed_at_every_change_of_the_file_system(tmp_path, scene):
    done = subprocess.run(
        [sys.executable, "-m", "tests.export.killed", scene, str(tmp_path)],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    seen = done.stdout.split()
    assert len(seen) > 15  # so many points at which it was killed
    if scene == "again":  # of the same files: old and new are the same
        assert set(seen) == {"old"}
    else:
        assert seen == sorted(seen, reverse=True), "new, then old again"
        assert set(seen) == {"old", "new"}
