"""export/kserve.yaml against the schemas of Kubernetes and of KServe's resource.

KServe's resource is a pod and a container with fields of its own: what is Kubernetes' is held
against Kubernetes' schemas, the rest against the names and types of KServe's v1beta1.
"""

import copy
import re
from pathlib import Path

import pytest

from tfvae.export.servables.choice import SERVABLES

kubernetes_validate = pytest.importorskip(
    "kubernetes_validate", reason="Kubernetes' schemas come with kubernetes-validate (test extra)"
)
jsonschema = pytest.importorskip("jsonschema", reason="needed by kubernetes-validate")
yaml = pytest.importorskip("yaml", reason="reading the manifests needs PyYAML (the test extra)")

FOLDER = Path(__file__).parents[2] / "export"
SERVICES = list(yaml.safe_load_all((FOLDER / "kserve.yaml").read_text()))
KUBERNETES = "1.31"
TEXT, NUMBER = {"type": "string"}, {"type": "integer", "minimum": 0}
# ComponentExtensionSpec and ModelSpec of serving.kserve.io/v1beta1, but for what is not used here.
COMPONENT = {
    "minReplicas": NUMBER,
    "maxReplicas": NUMBER,
    "scaleMetric": {"enum": ["cpu", "memory", "concurrency", "rps"]},
    "scaleTarget": NUMBER,
    "timeout": NUMBER,
    "containerConcurrency": NUMBER,
    "canaryTrafficPercent": {**NUMBER, "maximum": 100},
}
MODEL = {
    "modelFormat": {
        "type": "object",
        "properties": {"name": TEXT, "version": TEXT},
        "required": ["name"],
        "additionalProperties": False,
    },
    "protocolVersion": {"enum": ["v1", "v2", "grpc-v1", "grpc-v2"]},
    "runtime": TEXT,
    "runtimeVersion": TEXT,
    "storageUri": TEXT,
}


def checked(service):
    """Raises if the API server would not take this."""
    assert service["apiVersion"] == "serving.kserve.io/v1beta1"
    assert service["kind"] == "InferenceService"
    assert set(service["spec"]) == {"predictor"}
    predictor = dict(service["spec"]["predictor"])
    container = predictor.pop("model")
    own = [_split(predictor, COMPONENT), _split(container, MODEL)]
    for (fields, _), known in zip(own, (COMPONENT, MODEL), strict=True):
        jsonschema.validate(fields, {"properties": known})
    (_, pod), (model, container) = own
    assert {"modelFormat", "storageUri"} <= set(model)
    container = {"name": "kserve-container", "image": "tensorflow/serving", **container}
    resource = {"apiVersion": "v1", "kind": "Pod", "metadata": service["metadata"]}
    resource["spec"] = {**pod, "containers": [container]}
    kubernetes_validate.validate(resource, KUBERNETES, strict=True)


def _split(fields, known):
    """Those that are KServe's own, and the others."""
    own = {name: value for name, value in fields.items() if name in known}
    return own, {name: value for name, value in fields.items() if name not in known}


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service["metadata"]["name"])
def test_the_manifest_fits_its_schema(service):
    checked(service)


@pytest.mark.parametrize(
    "path",
    [
        ("predictor", "minReplica"),
        ("predictor", "model", "readinesProbe"),
        ("predictor", "model", "readinessProbe", "httpGet", "uri"),
        ("predictor", "model", "resources", "limit"),
        ("predictor", "model", "volumeMounts", 0, "path"),
        ("predictor", "volumes", 0, "configmap"),
        ("predictor", "model", "modelFormat", "kind"),
    ],
)
def test_a_misspelt_field_does_not(path):
    service = copy.deepcopy(SERVICES[0])
    place = service["spec"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = {}
    with pytest.raises((kubernetes_validate.ValidationError, jsonschema.ValidationError)):
        checked(service)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("predictor", "maxReplicas"), "8"),
        (("predictor", "scaleMetric"), "requests"),
        (("predictor", "canaryTrafficPercent"), 101),
        (("predictor", "model", "runtimeVersion"), 2.20),
        (("predictor", "model", "args"), "--enable_batching=true"),
        (("predictor", "model", "livenessProbe", "periodSeconds"), "10s"),
    ],
)
def test_a_value_of_another_type_does_not(path, value):
    service = copy.deepcopy(SERVICES[0])
    place = service["spec"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises((kubernetes_validate.ValidationError, jsonschema.ValidationError)):
        checked(service)


def test_the_three_servables_differ_in_name_place_and_memory_alone():
    names = [servable.name for servable in SERVABLES]
    assert [service["metadata"]["name"] for service in SERVICES] == [f"mnist-{n}" for n in names]
    seen = []
    for service, name in zip(copy.deepcopy(SERVICES), names, strict=True):
        model = service["spec"]["predictor"]["model"]
        assert model["storageUri"].endswith(f"/{name}")
        assert model["readinessProbe"]["httpGet"]["path"] == f"/v1/models/mnist-{name}/metadata"
        for limit in model["resources"].values():
            del limit["memory"]
        model["storageUri"] = model["readinessProbe"] = service["metadata"]["name"] = ""
        seen.append(service)
    assert seen[0] == seen[1] == seen[2]


def test_it_runs_the_same_server_with_the_same_files_as_one_machine_does():
    compose = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]["serving"]
    flags = {flag for flag in compose["command"] if "batching" in flag or "monitoring" in flag}
    for service in SERVICES:
        predictor = service["spec"]["predictor"]
        assert compose["image"].endswith(f":{predictor['model']['runtimeVersion']}")
        assert set(predictor["model"]["args"]) == flags
        assert predictor["volumes"][0]["configMap"]["name"] == "tfvae-serving"
    made = re.findall(r"--from-file=export/(\S+)", (FOLDER / "kserve.yaml").read_text())
    named = {flag.split("/config/")[1] for flag in flags if "/config/" in flag}
    assert set(made) == named
    assert all((FOLDER / name).is_file() for name in made)


def test_prometheus_finds_the_metrics():
    path = re.search(r'path: "(.+)"', (FOLDER / "monitoring.config").read_text())[1]
    for service in SERVICES:
        notes = service["metadata"]["annotations"]
        assert notes["prometheus.kserve.io/path"] == path
        assert notes["serving.kserve.io/enable-prometheus-scraping"] == "true"
