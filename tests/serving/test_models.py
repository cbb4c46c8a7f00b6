"""Which versions are served, as they come and go."""

import shutil
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Semaphore

import numpy as np
import pytest
import tensorflow as tf

from tests.serving.conftest import until
from tfvae.serving import Client, NotFoundError, UnavailableError
from tfvae.serving.server.models import Models
from tfvae.serving.server.refusals import RefusedError
from tfvae.serving.server.server import DevelopmentServer


@pytest.fixture(scope="module")
def plus(tmp_path_factory):
    """Writes, once each, the model that adds a number; returns a function that publishes it."""
    written = {}

    def publish(directory, version, name="plus"):
        if version not in written:
            written[version] = tmp_path_factory.mktemp("written") / str(version)
            model = tf.Module()
            model.added = tf.constant(float(version))
            model.call = tf.function(
                lambda x: {"y": x + model.added},
                input_signature=[tf.TensorSpec([None], tf.float32, name="x")],
            )
            tf.saved_model.save(model, str(written[version]), signatures=model.call)
        hidden = directory / name / f".staging-{version}"
        shutil.copytree(written[version], hidden)
        hidden.rename(directory / name / str(version))

    return publish


def states(models):
    listed = models.status("plus", None, None).model_version_status
    return {entry.version: entry.State.Name(entry.state) for entry in listed}


def available(models):
    return [number for number, state in states(models).items() if state == "AVAILABLE"]


def test_the_newest_versions_are_served_and_the_latest_answers(plus, tmp_path):
    for version in (1, 2, 10):
        plus(tmp_path, version)
    models = Models(tmp_path, num_versions=2)
    assert available(models) == [10, 2]
    assert models.find("plus").number == 10
    assert models.find("plus", version=2).number == 2
    with pytest.raises(RefusedError, match=r"Specific\(plus, 1\)"):
        models.find("plus", version=1)
    before = models.find("plus", version=2)
    models.refresh()
    assert models.find("plus", version=2) is before  # and isn't loaded again
    plus(tmp_path, 11)
    models.refresh()
    assert available(models) == [11, 10]
    assert before.signature("")  # whoever still works on a request keeps its version


def test_a_version_that_was_copied_in_place_is_tried_again(plus, tmp_path):
    plus(tmp_path, 1)
    plus(tmp_path / "elsewhere", 2)
    models = Models(tmp_path, num_versions=1)
    whole, copy = tmp_path / "elsewhere" / "plus" / "2", tmp_path / "plus" / "2"
    copy.mkdir()
    shutil.copy(whole / "saved_model.pb", copy)  # first, as `cp -r` may
    for _ in range(2):
        models.refresh()
        assert states(models) == {2: "END", 1: "AVAILABLE"}
    shutil.copytree(whole, copy, dirs_exist_ok=True)
    models.refresh()
    assert states(models) == {2: "AVAILABLE"}


def test_a_version_that_is_gone_goes_on_until_its_successor_can_be_loaded(plus, tmp_path):
    plus(tmp_path, 1)
    models = Models(tmp_path)
    shutil.rmtree(tmp_path / "plus" / "1")
    (tmp_path / "plus" / "2").mkdir()
    (tmp_path / "plus" / "2" / "saved_model.pb").write_bytes(b"half")
    for _ in range(2):
        models.refresh()
        assert states(models) == {2: "END", 1: "AVAILABLE"}
    shutil.rmtree(tmp_path / "plus" / "2")
    plus(tmp_path, 2)
    models.refresh()
    assert states(models) == {2: "AVAILABLE"}
    shutil.rmtree(tmp_path / "plus")
    models.refresh()
    with pytest.raises(RefusedError, match="Could not find any versions"):
        states(models)


def test_a_set_is_followed_to_where_current_points(plus, tmp_path):
    """An export is a folder of links through `current`, which is switched at once."""
    sets = tmp_path / "sets"
    for name, version in (("a", 5), ("b", 6)):
        for model in ("plus", "other"):
            plus(sets / name, version, model)
    (sets / "b" / "plus" / "5").symlink_to(sets / "a" / "plus" / "5")  # an older one that is kept
    (tmp_path / "current").symlink_to("sets/a")
    for model in ("plus", "other"):
        (tmp_path / model).symlink_to(f"current/{model}")
    models = Models(tmp_path, labels={"stable": 5})
    before = models.find("plus")
    assert (before.number, models.find("other").number) == (5, 5)
    for target, versions in (("sets/b", [6, 5]), ("sets/a", [5])):
        (tmp_path / "next").symlink_to(target)
        (tmp_path / "next").replace(tmp_path / "current")
        models.refresh()
        assert available(models) == versions
        assert models.find("other").number == versions[0]
        assert models.find("plus", label="stable") is before  # loaded once


def test_a_broken_version_leaves_the_last_good_one_in_service(plus, tmp_path):
    plus(tmp_path, 1)
    models = Models(tmp_path, num_versions=1)
    broken = tmp_path / "plus" / "2"
    broken.mkdir()
    models.refresh()
    assert available(models) == [1]  # no graph in it: not a version yet
    (broken / "saved_model.pb").write_bytes(b"no graph")
    models.refresh()
    assert models.find("plus").number == 1
    assert states(models) == {1: "AVAILABLE", 2: "END"}
    with pytest.raises(RefusedError, match=r"Specific\(plus, 2\)"):
        models.find("plus", version=2)
    plus(tmp_path, 3)
    models.refresh()
    assert available(models) == [3]


def test_labels_keep_their_version(plus, tmp_path, caplog):
    for version in (1, 2, 10):
        plus(tmp_path, version)
    models = Models(tmp_path, num_versions=1, labels={"stable": 1, "gone": 7})
    assert available(models) == [10, 1]
    assert "label gone: no model has version 7" in caplog.text
    assert "label stable" not in caplog.text
    assert models.find("plus", label="stable").number == 1
    with pytest.raises(RefusedError, match=r"Specific\(plus, 7\)"):
        models.find("plus", label="gone")
    with pytest.raises(RefusedError, match="Unrecognized servable version label: new"):
        models.find("plus", label="new")
    with pytest.raises(RefusedError, match="cannot both be supplied"):
        models.find("plus", version=1, label="stable")


def test_models_come_and_go(plus, tmp_path):
    plus(tmp_path, 1)
    models = Models(tmp_path)
    plus(tmp_path, 2, name="other")
    models.refresh()
    assert (models.find("plus").number, models.find("other").number) == (1, 2)
    shutil.rmtree(tmp_path / "plus")
    models.refresh()
    with pytest.raises(RefusedError, match=r"Latest\(plus\)"):
        models.find("plus")
    with pytest.raises(RefusedError, match="Could not find any versions of model plus"):
        models.status("plus", None, None)


def test_nothing_exported_is_an_error(tmp_path):
    for directory in (tmp_path, tmp_path / "absent"):
        with pytest.raises(FileNotFoundError, match="no models below"):
            Models(directory)


def test_a_running_server_picks_up_what_is_published(plus, tmp_path):
    plus(tmp_path, 1)
    options = {"rest_port": 0, "grpc_port": 0, "poll_seconds": 0.05, "num_versions": 1}
    with DevelopmentServer(tmp_path, **options) as server, Client(server.rest_url) as client:
        plus(tmp_path, 2)
        (tmp_path / "plus" / "3").mkdir()
        (tmp_path / "plus" / "3" / "saved_model.pb").write_bytes(b"no graph")
        until(lambda: client.status("plus") == {2: "AVAILABLE", 3: "END"})
        inputs = {"x": np.float32([0.5])}
        assert client.predict("plus", "serving_default", inputs) == {"output": [2.5]}
        with Client(server.grpc_url) as over_grpc:
            assert over_grpc.status("plus") == client.status("plus")
        with Client(server.rest_url, version=1) as old, pytest.raises(NotFoundError):
            old.metadata("plus")


def test_what_has_begun_is_finished_before_the_end(plus, tmp_path, monkeypatch):
    plus(tmp_path, 1)
    server = DevelopmentServer(tmp_path, rest_port=0, grpc_port=0)
    begun, go_on, find = Semaphore(0), Event(), server.models.find

    def held(*which):
        begun.release()
        assert go_on.wait(20)
        return find(*which)

    monkeypatch.setattr(server.models, "find", held)
    running = ExitStack()
    running.enter_context(server)
    inputs = {"x": np.float32([0.5])}
    with ThreadPoolExecutor(3) as pool:
        calls = [
            pool.submit(Client(url, retries=0).predict, "plus", "serving_default", inputs)
            for url in (server.rest_url, server.grpc_url)
        ]
        assert all(begun.acquire(timeout=20) for _ in calls)
        stopped = pool.submit(running.close)
        until(lambda: refuses(server.rest_url))
        assert not any(call.done() for call in (*calls, stopped))
        go_on.set()
        assert [[*call.result().values()] for call in calls] == [[1.5], [1.5]]
        stopped.result()
    with Client(server.grpc_url, retries=0) as late, pytest.raises(UnavailableError):
        late.status("plus")


def refuses(url):
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port(url))) != 0


def port(url):
    return int(url.rpartition(":")[2])


def test_a_port_in_use_is_an_error_and_holds_no_other(plus, tmp_path, unused_port):
    plus(tmp_path, 1)
    with DevelopmentServer(tmp_path, rest_port=0, grpc_port=0) as server:
        with pytest.raises(OSError, match="REST"):
            DevelopmentServer(tmp_path, rest_port=port(server.rest_url), grpc_port=None)
        with pytest.raises(OSError, match="gRPC"):
            DevelopmentServer(tmp_path, rest_port=unused_port, grpc_port=port(server.grpc_url))
        with DevelopmentServer(tmp_path, rest_port=unused_port, grpc_port=None) as other:
            assert port(other.rest_url) == unused_port


def test_a_switch_during_a_look_at_the_folder_loses_nothing(plus, tmp_path, monkeypatch):
    plus(tmp_path / "sets" / "a", 1)
    (tmp_path / "current").symlink_to("sets/a")
    (tmp_path / "plus").symlink_to("current/plus")
    models = Models(tmp_path)
    plus(tmp_path / "sets" / "b", 2)
    glob = Path.glob

    def switch(folder, pattern):
        if pattern.startswith("*/") and (tmp_path / "sets" / "a").exists():
            (tmp_path / "next").symlink_to("sets/b")
            (tmp_path / "next").replace(tmp_path / "current")
            shutil.rmtree(tmp_path / "sets" / "a")
        return glob(folder, pattern)

    monkeypatch.setattr(Path, "glob", switch)
    models.refresh()
    assert states(models) == {2: "AVAILABLE"}
