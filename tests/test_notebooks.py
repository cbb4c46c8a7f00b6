"""Every notebook runs from top to bottom, and shows pictures and no errors."""

import re
from pathlib import Path

import nbclient
import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_and_shows_pictures(path, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()  # raises with the cell and its traceback
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    pictures = sum("image/png" in output.get("data", {}) for output in outputs)
    assert pictures >= (4 if path.stem == "quickstart" else 1)
    # TensorFlow's C++ start-up notes can't be turned off from Python; Python's warnings can.
    said = "".join(output.text for output in outputs if output.get("name") == "stderr")
    assert re.findall(r"\w*Warning: .*", said) == []


def test_there_is_a_quickstart():
    assert "quickstart" in {path.stem for path in NOTEBOOKS}
