"""The published folders: what is in them, what is not, and when there are none."""

import getpass
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import tfvae
from tests.export.conftest import IMAGE_SHAPE, LATENT_SIZE, scramble, tiny_vae
from tfvae.export import ExportError, verify
from tfvae.export.saved_model import SERVABLES as SERVABLE_CLASSES

SERVABLES = ("encoder", "decoder", "vae")
FILES = {
    "assets.extra/tf_serving_warmup_requests",
    "fingerprint.pb",
    "saved_model.pb",
    "variables/variables.data-00000-of-00001",
    "variables/variables.index",
}
# Float32 differences between eager kernels and the graph optimiser's, measured at 5e-7.
SAME = 1e-5


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def graph(path):
    proto = saved_model_pb2.SavedModel()
    proto.ParseFromString((path / "saved_model.pb").read_bytes())
    (meta_graph,) = proto.meta_graphs
    return meta_graph.graph_def


def nodes(graph_def):
    yield from graph_def.node
    for function in graph_def.library.function:
        yield from function.node_def


@pytest.fixture
def no_comparison(monkeypatch):
    """Skips the fresh process, which takes seconds, where a test is about something else."""
    monkeypatch.setattr(verify, "compare", lambda *arguments: {})


def test_the_result_names_what_was_published(exported):
    assert exported.version == 1
    assert set(exported.paths) == set(SERVABLES)
    for name, path in exported.paths.items():
        assert path == exported.directory / name / "1"
        assert files(path) == FILES
    assert set(exported.directory.iterdir()) == {exported.directory / name for name in SERVABLES}


def test_a_server_of_another_user_may_read_it(exported, tmp_path):
    (tmp_path / "file").touch()
    plain = {True: tmp_path.parent.joinpath("plain"), False: tmp_path / "file"}
    plain[True].mkdir()
    for path in exported.directory.rglob("*"):
        assert path.stat().st_mode == plain[path.is_dir()].stat().st_mode, path


def test_every_signature_was_compared_in_a_fresh_process(exported, signatures):
    names = {f"{servable}/{name}" for servable in SERVABLES for name in signatures[servable]}
    assert set(exported.differences) == names
    assert max(exported.differences.values()) < SAME


def test_it_runs_where_tfvae_tfp_and_keras_cannot_be_imported(exported, vae, images, tmp_path):
    z = np.random.default_rng(0).normal(size=(7, LATENT_SIZE)).astype("float32")
    np.savez(tmp_path / "in.npz", z=z)
    script = """if True:
        import sys
        hidden = ("tfvae", "tensorflow_probability", "keras", "tf_keras")
        class Hiding:
            def __init__(self, finder):
                self.finder = finder
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] not in hidden:
                    return self.finder.find_spec(name, path, target)
        sys.meta_path[:] = [Hiding(finder) for finder in sys.meta_path]
        import numpy as np, tensorflow as tf
        decoder = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
        z = np.load("in.npz")["z"]
        np.savez("out.npz", **{str(n): decoder(z=tf.constant(z[:n]))["probs"] for n in (1, 2, 7)})
        assert not set(hidden) & set(sys.modules)
    """
    command = [sys.executable, "-c", script, str(exported.paths["decoder"])]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=120, capture_output=True)
    expected = vae.decoder(z).mean().numpy()
    with np.load(tmp_path / "out.npz") as got:
        for rows in (1, 2, 7):
            np.testing.assert_allclose(got[str(rows)], expected[:rows], atol=SAME)


def test_nothing_leaks_from_the_exporting_machine(exported):
    package = Path(tfvae.__file__).parent
    secrets = {
        *(str(package.parent), str(Path(tf.__file__).parent.parent), sys.prefix, os.getcwd()),
        *(str(Path.home()), str(exported.directory), "site-packages", "/tfvae/", ".py"),
        os.uname().nodename,
    }
    # A user called "root" is also the root of a saved object graph.
    secrets |= {getpass.getuser()} - {"root"}
    for path in exported.directory.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [secret for secret in secrets if secret.encode() in content], path


def test_the_leak_test_would_see_a_leak(tmp_path, vae, no_comparison, monkeypatch):
    save = tf.saved_model.save

    def with_debug_info(module, folder, signatures):
        save(module, folder, signatures, tf.saved_model.SaveOptions(save_debug_info=True))

    monkeypatch.setattr(tf.saved_model, "save", with_debug_info)
    leaking = tfvae.export.saved_model(vae, tmp_path)
    with pytest.raises(AssertionError):
        test_nothing_leaks_from_the_exporting_machine(leaking)


def test_only_tensorflows_own_operations_and_no_python(exported):
    for path in exported.paths.values():
        operations = {node.op for node in nodes(graph(path))}
        assert not {op for op in operations if "PyFunc" in op}
        registered = set(tf.raw_ops.__dict__)
        library = {function.signature.name for function in graph(path).library.function}
        assert operations - registered - library == set()


def test_weights_are_variables_and_stored_once(exported, vae):
    parts = {"encoder": [vae.encoder], "decoder": [vae.decoder, vae.prior]}
    parts["vae"] = parts["encoder"] + parts["decoder"]
    for name, path in exported.paths.items():
        stored = tf.train.list_variables(str(path / "variables" / "variables"))
        shapes = Counter(tuple(shape) for key, shape in stored if key.startswith("model_variables"))
        expected = Counter(tuple(w.shape) for part in parts[name] for w in part.weights)
        assert shapes == expected
        for node in nodes(graph(path)):
            if (
                node.op == "Const"
                and node.attr["value"].tensor.dtype == tf.float32.as_datatype_enum
            ):
                assert node.attr["value"].tensor.ByteSize() < 64, node.name


def test_versions_rise_and_stay(exported, vae, tmp_path, no_comparison):
    directory = tmp_path / "tiny"
    shutil.copytree(exported.directory, directory)
    before = {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    assert tfvae.export.saved_model(vae, directory).version == 2
    with pytest.raises(ExportError, match="version 2 of encoder, decoder, vae"):
        tfvae.export.saved_model(vae, directory, version=2)
    assert all(path.read_bytes() == content for path, content in before.items())
    assert len(list(directory.rglob("saved_model.pb"))) == 6


def test_a_failed_comparison_publishes_nothing(vae, tmp_path, monkeypatch):
    monkeypatch.setattr(verify, "compare", lambda *_: {"vae/score": 0.02, "a/b": 1e-6})
    with pytest.raises(ExportError, match=r"differs from the live one: vae/score by 0.02; at most"):
        tfvae.export.saved_model(vae, tmp_path / "mnist")
    assert list(tmp_path.iterdir()) == []


def test_the_comparison_sees_a_wrong_file(vae, tmp_path, monkeypatch):
    write = tf.saved_model.save

    def other_model(module, folder, signatures):
        for variable in module.model_variables:
            variable.assign_add(tf.cast(tf.fill(variable.shape, 0.01), variable.dtype))
        try:
            write(module, folder, signatures)
        finally:
            for variable in module.model_variables:
                variable.assign_add(tf.cast(tf.fill(variable.shape, -0.01), variable.dtype))

    monkeypatch.setattr(tf.saved_model, "save", other_model)
    monkeypatch.setattr(sys.modules["tfvae.export.saved_model"], "SERVABLES", SERVABLE_CLASSES[:1])
    with pytest.raises(ExportError, match=r"differs .* encoder/encode by"):
        tfvae.export.saved_model(tiny_vae(1), tmp_path / "mnist")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_does_not_load_says_why(tmp_path):
    jobs = {"vae": {"path": str(tmp_path / "nowhere"), "requests": []}}
    with pytest.raises(ExportError, match=r"does not run in a fresh process .* does not exist"):
        verify._reload(jobs, tmp_path)


def test_a_full_disk_is_one_clear_message_and_leaves_nothing(vae, tmp_path, no_comparison):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, limits[1]))
        with pytest.raises(ExportError, match=r"can't write the encoder .*Nothing was published"):
            tfvae.export.saved_model(vae, tmp_path / "mnist")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []


def test_models_without_weights_and_wrong_versions_are_refused(vae, tmp_path):
    fresh = tfvae.VAE(
        tfvae.Encoder(tfvae.networks.MLP([4]), tfvae.heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(tfvae.networks.MLP([4]), tfvae.heads.IndependentBernoulli(IMAGE_SHAPE)),
    )
    with pytest.raises(ValueError, match="encoder, decoder, prior has no weights yet"):
        tfvae.export.saved_model(fresh, tmp_path)
    with pytest.raises(ValueError, match="version must be an integer of at least 1, received 0"):
        tfvae.export.saved_model(vae, tmp_path, version=0)
    assert list(tmp_path.iterdir()) == []


def test_bfloat16_convolutions_dropout_and_colour(tmp_path):
    shape = (8, 8, 3)
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        encoder = keras.Sequential(
            [
                keras.layers.Conv2D(4, 3, strides=2, activation="relu", name="conv"),
                keras.layers.BatchNormalization(name="norm"),
                keras.layers.Dropout(0.5, name="dropout"),
            ],
            name="network",
        )
        vae = tfvae.VAE(
            tfvae.Encoder(encoder, tfvae.heads.MultivariateNormalDiag(2)),
            tfvae.Decoder(
                tfvae.networks.MLP([9]), tfvae.heads.IndependentNormal(shape, scale="learned")
            ),
        )
        vae.build((None, *shape))
        scramble(vae)
        done = tfvae.export.saved_model(vae, tmp_path)
    finally:
        keras.config.set_dtype_policy("float32")
    assert max(done.differences.values()) < 0.02
    images = np.random.default_rng(0).random((3, *shape), np.float32)
    encode = tf.saved_model.load(str(done.paths["encoder"])).signatures["encode"]
    first, second = encode(images=tf.constant(images)), encode(images=tf.constant(images))
    for name, value in first.items():
        assert value.dtype == tf.float32
        np.testing.assert_array_equal(value, second[name])  # nothing is dropped
    decode = tf.saved_model.load(str(done.paths["decoder"])).signatures["decode"]
    outputs = decode(z=tf.zeros([5, 2]))
    assert {name: value.shape for name, value in outputs.items()} == {
        "loc": (5, *shape),
        "scale": (5, 1, 1, 1),
    }
