"""The files byte by byte: nothing private, nothing foreign, nothing twice."""

import getpass
import os
import sys
from collections import Counter
from pathlib import Path

import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import tfvae


def graph(path):
    proto = saved_model_pb2.SavedModel()
    proto.ParseFromString((path / "saved_model.pb").read_bytes())
    (meta_graph,) = proto.meta_graphs
    return meta_graph.graph_def


def nodes(graph_def):
    yield from graph_def.node
    for function in graph_def.library.function:
        yield from function.node_def


def test_a_server_of_another_user_may_read_it(exported, tmp_path):
    (tmp_path / "file").touch()
    plain = {True: tmp_path.parent.joinpath("plain"), False: tmp_path / "file"}
    plain[True].mkdir()
    for path in exported.directory.rglob("*"):
        assert path.stat().st_mode == plain[path.is_dir()].stat().st_mode, path


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


def test_the_leak_test_would_see_a_leak(tmp_path, vae, no_comparison, encoder_only, monkeypatch):
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
    # The encoder's draws come from the whole inference, which makes the prior too.
    parts = {"encoder": [vae.encoder, vae.prior], "decoder": [vae.decoder, vae.prior]}
    parts["vae"] = [vae.encoder, vae.decoder, vae.prior]
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
