"""The folder for operators: its files are what TensorFlow Serving reads, and fit the exports."""

import re
from pathlib import Path

import pytest
import tensorflow as tf
from google.protobuf import text_format

from tfvae.export import limits
from tfvae.export.saved_models.warmup import WARMED_BATCH_SIZES
from tfvae.export.servables.choice import SERVABLES
from tfvae.export.tflite_files.convert import MAX_SAMPLES
from tfvae.serving.client import splitting

FOLDER = Path(__file__).parents[2] / "export"
NAMES = [servable.name for servable in SERVABLES]
yaml = pytest.importorskip("yaml", reason="reading the manifests needs PyYAML (the test extra)")


def models(file):
    config_pb2 = pytest.importorskip(
        "tensorflow_serving.config.model_server_config_pb2",
        reason="reading models.config needs tensorflow-serving-api (the serving extra)",
    )
    config = config_pb2.ModelServerConfig()
    text_format.Parse((FOLDER / file).read_text(), config)
    return config.model_config_list.config


@pytest.mark.parametrize("file", ["models.config", "models.canary.config"])
def test_models_are_the_three_servables(file):
    found = models(file)
    assert [(model.name, model.base_path) for model in found] == [
        (name, f"/models/{name}") for name in NAMES
    ]
    assert {model.model_platform for model in found} == {"tensorflow"}


def test_labels_point_at_versions_that_are_loaded():
    for model in models("models.canary.config"):
        assert dict(model.version_labels) == {"stable": 1, "canary": 2}
        assert set(model.version_labels.values()) <= set(
            model.model_version_policy.specific.versions
        )


def test_batches_have_the_sizes_that_are_warmed_up():
    text = re.sub("#.*", "", (FOLDER / "batching.config").read_text())
    sizes = tuple(int(size) for size in re.findall(r"allowed_batch_sizes: (\d+)", text))
    assert sizes == WARMED_BATCH_SIZES
    assert f"max_batch_size {{ value: {sizes[-1]} }}" in text
    known = {"max_batch_size", "batch_timeout_micros", "max_enqueued_batches"}
    fields = set(re.findall(r"^(\w+)", text, flags=re.MULTILINE))
    assert fields == known | {"num_batch_threads", "allowed_batch_sizes"}


def test_the_documented_limits_are_those_of_full_batches():
    text = (FOLDER / "batching.config").read_text()
    rows = int(re.search(r"max_batch_size { value: (\d+) }", text)[1])
    assert rows == limits.MAX_ROWS
    samples, score = limits.MAX_SAMPLES_PER_ROW, limits.MAX_SCORE_SAMPLES
    expected = [[1, rows], [samples, samples * rows], [score, score * rows]]
    expected += [[limits.MAX_FIRST], [MAX_SAMPLES]]
    table = (FOLDER / "README.md").read_text().partition("### Limits")[2].partition("|---|")[2]
    lines = [line.split("|")[2:] for line in table.split("\n\n")[0].splitlines()[1:]]
    found = [[int(cell.replace(",", "")) for cell in line if cell.strip()] for line in lines]
    assert found == expected
    assert rows * samples == splitting.DRAWS_A_REQUEST  # what the client puts into one request


def test_the_compose_file_pins_the_image_and_mounts_what_it_names():
    (service,) = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"].values()
    assert re.fullmatch(r"tensorflow/serving:\d+\.\d+\.\d+", service["image"])
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    for flag in service["command"]:
        name, _, value = flag.partition("=")
        if name.endswith("_file"):
            file = re.sub(r"\$\{\w+:-(.*)\}", r"\1", value).removeprefix("/config/")
            assert (FOLDER / file).is_file()


def test_the_image_reads_files_of_the_tensorflow_that_wrote_them():
    # TensorFlow reads files of newer minor versions as long as they use no newer operation.
    (service,) = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"].values()
    server = tuple(int(part) for part in service["image"].split(":")[1].split("."))
    writer = tuple(int(part) for part in tf.__version__.split(".")[:2])
    assert server[0] == writer[0]
    assert abs(server[1] - writer[1]) <= 1


def test_the_container_has_no_rights_that_it_does_not_need():
    (service,) = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"].values()
    assert service["user"].split(":")[0] not in ("0", "root")
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(volume["read_only"] for volume in service["volumes"])


def test_the_health_check_asks_for_every_servable():
    (service,) = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"].values()
    command, shell, script, *names = service["healthcheck"]["test"]
    assert (command, shell) == ("CMD", "bash")
    assert (FOLDER / script.removeprefix("/config/")).is_file()
    assert names == NAMES
    # Three seconds a servable are what the script waits at most.
    assert int(service["healthcheck"]["timeout"].removesuffix("s")) > 3 * len(NAMES)


def test_the_proxy_waits_for_the_server_and_mounts_what_it_names():
    proxy = yaml.safe_load((FOLDER / "proxy" / "compose.yaml").read_text())["services"]["proxy"]
    assert re.fullmatch(r"nginx:\d+\.\d+-alpine", proxy["image"])
    assert proxy["depends_on"] == {"serving": {"condition": "service_healthy"}}
    volume, secrets = proxy["volumes"]
    assert (FOLDER / volume["source"] / "nginx.conf").is_file()
    assert f"{volume['target']}/nginx.conf" in proxy["command"]
    # As nginx.conf names it. The model server has all of export/, and must not have these.
    text = (FOLDER / volume["source"] / "nginx.conf").read_text()
    assert f"ssl_certificate_key ../{Path(secrets['target']).name}/server.key;" in text
    assert Path(secrets["target"]).parent == Path(volume["target"]).parent
    assert secrets["source"].startswith("${TFVAE_SECRETS:?")
