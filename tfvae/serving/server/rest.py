"""TensorFlow Serving's REST paths, as a WSGI application.

    POST /v1/models/NAME[/versions/N|/labels/L]:predict     and :classify, :regress, refused
    GET  /v1/models/NAME[/versions/N|/labels/L]             status
    GET  /v1/models/NAME[/versions/N|/labels/L]/metadata    signatures

References:
    https://www.tensorflow.org/tfx/serving/api_rest;
    tensorflow_serving/model_servers/http_rest_api_util.cc
"""

import json
import logging
import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from google.protobuf import json_format

from tfvae.serving import codes
from tfvae.serving.server import json_predict
from tfvae.serving.server.limits import Limits
from tfvae.serving.server.models import Failure, Models
from tfvae.serving.server.refused import RefusedError, invalid
from tfvae.serving.server.running import run
from tfvae.serving.server.versions import Version

LOGGER = logging.getLogger("tfvae.serving")

_WHICH = r"([^/:]+)(?:/versions/(\d{1,30})|/labels/([^/:]+))?"
_CALL = re.compile(rf"/v1/models/{_WHICH}:(predict|classify|regress)", re.IGNORECASE)
_LOOK = re.compile(rf"/v1/models/{_WHICH}(/metadata)?", re.IGNORECASE)
_LARGEST_VERSION = 2**63 - 1


class RestApplication:
    """Answers every request with JSON, errors as `{"error": message}` with their HTTP status.

    Args:
        models: what is served.
        limits: bounds of requests and answers.
    """

    def __init__(self, models: Models, limits: Limits):
        self.models = models
        self.limits = limits

    def __call__(self, environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
        """The WSGI entry."""
        try:
            status, content = 200, self._answer(environ)
        except RefusedError as refused:
            status, content = codes.HTTP_STATUSES[refused.code], error_body(refused.message)
        except Exception:  # a bug of ours: the client gets an error, the log the traceback
            LOGGER.exception("%s %s", environ["REQUEST_METHOD"], environ["PATH_INFO"])
            status, content = 500, error_body("internal error")
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
        start_response(f"{status} {_reason(status)}", headers)
        return [content]

    def _answer(self, environ: dict[str, Any]) -> bytes:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if method == "POST" and (matched := _CALL.fullmatch(path)):
            name, version, label, call = matched.groups()
            body = environ["wsgi.input"].read()
            return self._call(call.lower(), (name, _number(version), label), body)
        if method == "GET" and (matched := _LOOK.fullmatch(path)):
            name, version, label, metadata = matched.groups()
            which = (name, _number(version), label)
            return self._metadata(which) if metadata else self._status(which)
        if path.lower().startswith("/v1/"):
            raise invalid(f"Malformed request: {method} {path}")
        raise RefusedError("NOT_FOUND", f"Not found: {path}")

    def _call(self, call: str, which: tuple, body: bytes) -> bytes:
        document = json_predict.parsed(body)
        version = self.models.find(*which)
        name = json_predict.signature_name(document)
        if call != "predict":
            raise wrong_method(call)
        if name not in version.signatures:
            raise invalid(f'Serving signature name: "{name}" not found in signature def')
        signature = version.signatures[name]
        outputs = run(signature, json_predict.inputs(document, signature), self.limits)
        return json_predict.answer(document, outputs)

    def _status(self, which: tuple) -> bytes:
        states = self.models.states(*which)
        listed = [_described(number, state) for number, state in states.items()]
        return json.dumps({"model_version_status": listed}, indent=1).encode()

    def _metadata(self, which: tuple) -> bytes:
        version = self.models.find(*which)
        definitions = {
            name: json_format.MessageToDict(
                definition,
                preserving_proto_field_name=True,
                always_print_fields_with_no_presence=True,
            )
            for name, definition in version.definitions.items()
        }
        spec = {"name": version.model, "signature_name": "", "version": str(version.number)}
        metadata = {"signature_def": {"signature_def": definitions}}
        return json.dumps({"model_spec": spec, "metadata": metadata}, indent=1).encode()


def error_body(message: str) -> bytes:
    """TensorFlow Serving's form of an error."""
    return json.dumps({"error": message}).encode("ascii")


def wrong_method(call: str) -> RefusedError:
    """The refusal of classify and regress, whose signatures these models don't have."""
    kind = {"classify": "classification", "regress": "regression"}[call]
    return invalid(
        f"Expected {kind} signature method_name to be tensorflow/serving/{call}. "
        "Was: tensorflow/serving/predict"
    )


def _described(number: int, state: Version | Failure) -> dict[str, Any]:
    failed = isinstance(state, Failure)
    status = {
        "error_code": "UNKNOWN" if failed else "OK",
        "error_message": state.message if failed else "",
    }
    return {
        "version": str(number),
        "state": "END" if failed else "AVAILABLE",
        "status": status,
    }


def _number(version: str | None) -> int | None:
    if version is None:
        return None
    if int(version) > _LARGEST_VERSION:
        raise invalid(f"Failed to convert version: {version} to numeric.")
    return int(version)


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
