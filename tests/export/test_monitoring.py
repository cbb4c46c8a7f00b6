"""export/monitoring: the alerts fire when they should, and the board asks for what there is."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tfvae.export.sets.manifest import Spread
from tfvae.serving.drift import Drift, prometheus_text

yaml = pytest.importorskip("yaml", reason="reading the rules needs PyYAML (the test extra)")

FOLDER = Path(__file__).parents[2] / "export" / "monitoring"
TESTS = Path(__file__).with_name("alerts.test.yaml")
RULES = [
    rule
    for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
BOARD = json.loads((FOLDER / "grafana.json").read_text())
# Names and labels as TensorFlow Serving 2.x registers them (servables/tensorflow/util.cc,
# batching/batching_session.cc, and cc/saved_model/loader.cc of TensorFlow), with ":" for "/"; what
# node_exporter, Prometheus and tfvae drift have.
METRICS = {
    ":tensorflow:serving:request_count": {"model_name", "status"},
    ":tensorflow:serving:request_latency": {"model_name", "API", "entrypoint"},
    ":tensorflow:serving:runtime_latency": {"model_name", "API", "runtime"},
    ":tensorflow:serving:batching_session:queuing_latency": {"thread_pool_name"},
    ":tensorflow:cc:saved_model:load_attempt_count": {"model_path", "status"},
    "up": {"job", "instance"},
    "node_textfile_mtime_seconds": {"file"},
    "tfvae_drift_alarm": {"set", "version"},
    "tfvae_drift_mean_nats": {"set", "version", "metric"},
    "tfvae_drift_held_out_mean_nats": {"set", "version", "metric"},
    "tfvae_drift_standard_errors": {"set", "version", "metric"},
}
HISTOGRAMS = {name for name in METRICS if name.endswith("_latency")}
promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")


def expressions():
    yield from (rule["expr"] for rule in RULES)
    for panel in BOARD["panels"]:
        yield from (target["expr"] for target in panel["targets"])


@pytest.mark.parametrize("expression", list(expressions()))
def test_expressions_ask_for_metrics_that_there_are(expression):
    names = re.findall(r"(?<![\w:\"])(:tensorflow[\w:]+|tfvae_\w+|node_\w+|up\b)", expression)
    assert names
    for name in names:
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        if base in HISTOGRAMS:
            assert name != base
        else:
            assert name in METRICS
    labels = {label for name in names for label in METRICS.get(_base(name), ())}
    used = re.findall(r"by \(([^)]*)\)|on \(([^)]*)\)|\{([^}]*)\}", expression)
    for text in ("".join(groups) for groups in used):
        for part in text.split(","):
            assert re.match(r"\s*(\w+)", part)[1] in labels | {"le", "instance", "job"}


def _base(name):
    return name if name in METRICS else re.sub(r"_(bucket|sum|count)$", "", name)


def test_drift_writes_what_is_asked_for():
    same = Spread(1.0, 1.0, 50)
    text = prometheus_text({"set": "mnist", "version": 5}, {"kl": Drift(same, same)}, False)
    for name, labels in re.findall(r"^(\w+)\{(.*)\}", text, re.MULTILINE):
        assert set(re.findall(r"(\w+)=", labels)) == METRICS[name]
    assert {line.split("{")[0] for line in text.splitlines() if line[0] != "#"} == {
        name for name in METRICS if name.startswith("tfvae_drift")
    }


def test_alerts_say_what_and_what_to_do():
    assert len({rule["alert"] for rule in RULES}) == len(RULES) >= 8
    for rule in RULES:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert set(rule["annotations"]) == {"summary", "description"}
        assert "{{ $labels." in rule["annotations"]["summary"]


def test_every_alert_has_a_test_in_which_it_fires():
    cases = yaml.safe_load(TESTS.read_text())["tests"]
    fired = {
        case["alertname"]
        for test in cases
        for case in test["alert_rule_test"]
        if case["exp_alerts"]
    }
    assert fired == {rule["alert"] for rule in RULES}


@promtool
@pytest.mark.parametrize(
    "command",
    [
        ("check", "rules", FOLDER / "alerts.yaml"),
        ("check", "config", FOLDER / "prometheus.yaml"),
        ("test", "rules", TESTS),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_prometheus_takes_them(command):
    done = subprocess.run(["promtool", *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@promtool
def test_prometheus_takes_the_boards_expressions(tmp_path):
    found = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(found)
    ]
    groups = {"groups": [{"name": "board", "rules": rules}]}
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(groups))
    test_prometheus_takes_them(("check", "rules", tmp_path / "rules.yaml"))


def test_the_board_has_panels_side_by_side_for_any_prometheus():
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in BOARD["panels"]]
    assert len(set(places)) == len(places) == 8
    assert len({panel["id"] for panel in BOARD["panels"]}) == 8
    (variable,) = BOARD["templating"]["list"]
    assert (variable["type"], variable["query"]) == ("datasource", "prometheus")
    for panel in BOARD["panels"]:
        assert panel["datasource"]["uid"] == f"${{{variable['name']}}}"
        assert panel["title"]
        assert panel["description"]
