"""Takes the notebooks in: `docs/` is all that Sphinx reads, and they have a folder of their own."""

import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx


def _copy(app: Sphinx, *_: Any) -> None:
    """Copies what is newer: git ignores the copies."""
    target = Path(app.srcdir) / "notebooks"
    target.mkdir(exist_ok=True)
    for notebook in (Path(app.srcdir).parent / "notebooks").glob("*.ipynb"):
        copy = target / notebook.name
        if not copy.exists() or copy.read_bytes() != notebook.read_bytes():
            shutil.copyfile(notebook, copy)


def setup(app: Sphinx) -> dict[str, Any]:
    """Copies before the pages are looked for."""
    app.connect("builder-inited", _copy)
    return {"parallel_read_safe": True}
