"""export/proxy: TLS, users and limits before a server, for REST and gRPC, with our own client."""

import base64
import subprocess
import sys

import numpy as np
import pytest
import requests

from tests.serving.nginx import PASSWORD, PROXY, USER, nginx, proxied
from tfvae.cli.main import main
from tfvae.export.sets.manifest import MANIFEST, Manifest
from tfvae.serving import AccessError, Client, ResourceExhaustedError, UnavailableError

pytestmark = pytest.mark.skipif(nginx() is None, reason="nginx is not installed")

CREDENTIALS = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
HEADERS = {"Authorization": f"Basic {CREDENTIALS}"}
IMAGES = np.random.default_rng(1).random((3, 5, 4, 1), np.float32)


@pytest.fixture(scope="module")
def proxy(server, tmp_path_factory):
    edits = {"rate=50r/s": "rate=500r/s", "client_max_body_size 32m": "client_max_body_size 64k"}
    folder = tmp_path_factory.mktemp("proxy")
    with proxied(folder, server.rest_url, server.grpc_url, edits) as running:
        yield running


@pytest.fixture
def trusted(proxy, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(proxy.secrets / "ca.crt"))
    return proxy


def test_rest_answers_as_without_it(trusted, server):
    with Client(trusted.rest, headers=HEADERS) as client, Client(server.rest_url) as direct:
        np.testing.assert_array_equal(client.reconstruct(IMAGES), direct.reconstruct(IMAGES))
        assert client.status("vae") == {1: "AVAILABLE"}
        assert client.metadata("decoder").keys() == direct.metadata("decoder").keys()
    with Client(trusted.rest, headers=HEADERS, version=1) as client:
        assert client.sample(2, seed=3).shape == (2, 5, 4, 1)
    with Client(trusted.rest, headers=HEADERS, label="stable") as client:
        assert client.sample(2, seed=3).shape == (2, 5, 4, 1)


# gRPC reads its roots once in a process. Each of these prints what the call ends with.
GRPC = f"""
import sys
import grpc, numpy as np
from tensorflow_serving.apis import model_management_pb2, model_service_pb2_grpc
from tfvae.serving import Client
url, headers = sys.argv[1], {HEADERS!r}
images = np.random.default_rng(1).random((3, 5, 4, 1), np.float32)
with Client(url, headers=headers) as client:
    print(client.reconstruct(images).shape, client.status("vae"), list(client.metadata("encoder")))
def said(call):
    try:
        return call()
    except Exception as error:
        return f"{{type(error).__name__}} {{error}}"
with Client(url, retries=0) as client:
    print(said(lambda: client.reconstruct(images)))
with Client(url, headers=headers, retries=0) as client:
    x = np.zeros((3000, 5, 4, 1), np.float32)  # in one request, which the client's methods cut
    print(said(lambda: client.predict("vae", "reconstruct", {{"x": x}})))
with grpc.secure_channel(url.split("//")[1], grpc.ssl_channel_credentials()) as channel:
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    request = model_management_pb2.ReloadConfigRequest()
    metadata = [("authorization", headers["Authorization"])]
    try:
        stub.HandleReloadConfigRequest(request, timeout=20, metadata=metadata)
    except grpc.RpcError as error:
        print(error.code().name, error.details())
"""


def test_grpc_answers_who_may_ask_and_refuses_the_rest(proxy):
    done = subprocess.run(
        [sys.executable, "-c", GRPC, proxy.grpc],
        env={"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": f"{proxy.secrets}/ca.crt"}
        | {"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    answered, nobody, large, reload = done.stdout.splitlines() or [done.stderr]
    assert answered.startswith("(3, 5, 4, 1) {1: 'AVAILABLE'} ['")
    assert nobody.startswith("AccessError UNAUTHENTICATED: a user and a password")
    assert large.startswith("ResourceExhaustedError RESOURCE_EXHAUSTED: the body is larger")
    assert reload == "PERMISSION_DENIED not for clients of this proxy"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YWRhOndyb25n"}])
def test_a_stranger_is_refused(trusted, headers):
    with Client(trusted.rest, headers=headers) as client, pytest.raises(AccessError) as error:
        client.sample(1)
    assert error.value.code == "UNAUTHENTICATED"
    assert error.value.message == "a user and a password of this proxy are needed"


def test_the_password_does_not_reach_the_server():
    text = (PROXY / "nginx.conf").read_text()
    passes = text.count("proxy_pass ") + text.count("grpc_pass ")
    assert passes == text.count('_set_header Authorization "";')


@pytest.mark.parametrize(
    "path", ["monitoring/prometheus/metrics", "", "v1/models/vae:classify", "v1/models/a/b/c"]
)
def test_nothing_else_is_let_through(trusted, path):
    reply = requests.get(f"{trusted.rest}/{path}", headers=HEADERS, timeout=20)
    assert (reply.status_code, reply.json()) == (403, {"error": "not for clients of this proxy"})


def test_a_large_body_is_refused(trusted):
    x = np.zeros((3000, 5, 4, 1), np.float32)  # in one request, which reconstruct() cuts
    with (
        Client(trusted.rest, headers=HEADERS) as client,
        pytest.raises(ResourceExhaustedError, match="body is larger") as error,
    ):
        client.predict("vae", "reconstruct", {"x": x})
    assert error.value.status == 413


def test_drift_is_measured_through_it(trusted, tmp_path, monkeypatch, capsys):
    manifest = Manifest("tiny", 1, "VAE", "0" * 64, "0.1.0", "2.21.0")
    (tmp_path / MANIFEST).write_bytes(manifest.content())
    np.save(tmp_path / "data.npy", np.random.default_rng(2).random((40, 5, 4, 1), np.float32))
    words = ["drift", tmp_path, tmp_path / "data.npy", "--against", tmp_path / "data.npy"]
    words = [str(word) for word in [*words, "--url", trusted.rest]]
    with pytest.raises(SystemExit):
        main(words)
    assert "UNAUTHENTICATED" in capsys.readouterr().err
    monkeypatch.setenv("TFVAE_AUTHORIZATION", HEADERS["Authorization"])
    main(words)
    assert capsys.readouterr().out.endswith("no drift\n")


def test_who_does_not_trust_the_authority_is_not_answered(proxy):
    with Client(proxy.rest, headers=HEADERS) as client, pytest.raises(AccessError, match="secure"):
        client.sample(1)


def test_without_tls_there_is_no_answer(proxy):
    reply = requests.get(proxy.rest.replace("https", "http"), headers=HEADERS, timeout=20)
    assert (reply.status_code, reply.json()) == (400, {"error": "refused by the proxy"})


def test_more_requests_than_the_rate_are_refused(server, tmp_path, monkeypatch):
    edits = {"rate=50r/s": "rate=1r/s", "burst=100": "burst=5"}
    with proxied(tmp_path, server.rest_url, server.grpc_url, edits) as proxy:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", f"{proxy.secrets}/ca.crt")
        url = f"{proxy.rest}/v1/models/vae"
        replies = [requests.get(url, headers=HEADERS, timeout=20) for _ in range(20)]
    answered = [reply.status_code for reply in replies]
    assert answered.count(200) in range(6, 12)
    assert answered.count(429) == 20 - answered.count(200)
    assert replies[-1].json() == {"error": "more requests or connections than this proxy lets in"}


def test_a_server_that_is_away_is_unavailable(unused_port, tmp_path, monkeypatch):
    away = f"http://127.0.0.1:{unused_port}"
    with proxied(tmp_path, away, away) as proxy:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", f"{proxy.secrets}/ca.crt")
        with (
            Client(proxy.rest, headers=HEADERS, retries=0) as client,
            pytest.raises(UnavailableError, match="the model server does not answer"),
        ):
            client.sample(1)


def test_mutual_tls_asks_for_a_certificate(server, tmp_path):
    edits = {"#ssl_client_certificate": "ssl_client_certificate", "#ssl_verify": "ssl_verify"}
    edits |= {'auth_basic "tfvae";': "", "auth_basic_user_file ../secrets/users;": ""}
    with proxied(tmp_path, server.rest_url, server.grpc_url, edits) as proxy:
        made = proxy.secrets
        url = f"{proxy.rest}/v1/models/vae"
        known = (f"{made}/client.crt", f"{made}/client.key")
        reply = requests.get(url, verify=f"{made}/ca.crt", cert=known, timeout=20)
        assert reply.json()["model_version_status"][0]["state"] == "AVAILABLE"
        unknown = requests.get(url, verify=f"{made}/ca.crt", timeout=20)
        assert (unknown.status_code, unknown.json()) == (400, {"error": "refused by the proxy"})
