"""Two exports of one model are equal byte for byte, whatever their processes did before."""

import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from tests.export.made import tree
from tfvae.export import verify
from tfvae.export.canonical import canonicalise

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def exports(vae, tmp_path_factory):
    """The export folders of two processes, of which one exports in the other order."""
    folder = tmp_path_factory.mktemp("reproducible")
    vae.save(folder / "tiny.keras")
    running = {}
    for first in ("servables", "files"):
        arguments = [str(folder / "tiny.keras"), str(folder / first), first]
        running[first] = subprocess.Popen(
            [sys.executable, "-m", "tests.export.exporting", *arguments],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
    for process in running.values():
        _, said = process.communicate(timeout=280)
        assert process.returncode == 0, said[-2000:]
    return [folder / first / "tiny" for first in running]


def test_every_file_is_equal(exports):
    one, other = exports
    assert tree(one) == tree(other)
    names = [name for name in tree(one / "sets") if not (one / "sets" / name).is_symlink()]
    assert len(names) == 23
    for name in names:
        assert (one / "sets" / name).read_bytes() == (other / "sets" / name).read_bytes(), name
    assert verify(one) == verify(other)


def test_the_canonical_form_is_a_fixed_point(exports, tmp_path):
    content = (exports[0] / "vae" / "1" / "saved_model.pb").read_bytes()
    (tmp_path / "saved_model.pb").write_bytes(content)
    canonicalise(tmp_path)
    assert (tmp_path / "saved_model.pb").read_bytes() == content


def test_no_number_of_a_process_is_left(exports):
    content = (exports[0] / "vae" / "1" / "saved_model.pb").read_bytes()
    library = SavedModel.FromString(content).meta_graphs[0].graph_def.library
    numbers = [int(function.signature.name.rpartition("_")[2]) for function in library.function]
    assert numbers == list(range(len(numbers)))


def test_gradients_go_through_what_was_written(exports):
    """Custom gradients, too, are found by names that were numbered anew."""
    loaded = tf.saved_model.load(str(exports[0] / "decoder" / "1"))
    decode, z = loaded.signatures["decode"], tf.zeros([2, 3])
    with tf.GradientTape() as tape:
        tape.watch(z)
        total = tf.reduce_sum(decode(z=z)["probs"])
    assert float(tf.reduce_max(tf.abs(tape.gradient(total, z)))) > 0
