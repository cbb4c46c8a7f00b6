"""Files that would have something executed, signed as whoever wrote them can: nothing is."""

import base64
import itertools
import marshal

import keras
import pytest

import tfvae
from tests.models.mutations import Members
from tests.models.tiny import IMAGES, vae
from tfvae.errors import UserError


def named(module, name, config, registered=None):
    return {
        "module": module,
        "class_name": name,
        "config": config,
        "registered_name": registered or name,
    }


def code(canary):
    """A function that makes the canary, as Keras' Lambda layers hold one."""
    made = compile(f"open({canary!r}, 'w').close()", "<file>", "exec")
    return base64.b64encode(marshal.dumps(made)).decode()


PAYLOADS = {
    "os.system": lambda c: named("os", "system", f"touch {c}"),
    "subprocess.Popen": lambda c: named("subprocess", "Popen", {"args": ["touch", c]}),
    "builtins.exec": lambda c: named("builtins", "exec", f"open({c!r}, 'w')"),
    "a function": lambda c: named("os", "function", "system"),
    "a Lambda layer": lambda c: named(
        "keras.layers",
        "Lambda",
        {"function": {"class_name": "__lambda__", "config": {"code": code(c)}}},
    ),
    "a lambda": lambda c: {"class_name": "__lambda__", "config": {"value": code(c)}},
    "a download": lambda c: named(
        "keras.src.utils.file_utils", "get_file", {"fname": c, "origin": "file:///etc/hostname"}
    ),
    "a pickle": lambda c: named(
        "keras.src.utils.torch_utils", "TorchModuleWrapper", {"module": code(c)}
    ),
}
PLACES = {
    "the model": (),
    "a network": ("config", "encoder", "config", "network"),
    "an activation": ("config", "encoder", "config", "network", "config", "activation"),
    "the prior": ("config", "prior"),
    "the optimizer": ("compile_config", "optimizer"),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    model = vae()
    model.compile("adam", jit_compile=False)
    model.fit(IMAGES, verbose=0)
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    model.save(path)
    return path


@pytest.mark.parametrize("load", [tfvae.load_model, keras.models.load_model])
@pytest.mark.parametrize(("what", "where"), [*itertools.product(PAYLOADS, PLACES)])
def test_nothing_in_a_file_is_executed(saved, tmp_path, load, what, where):
    members, canary = Members(saved), tmp_path / "canary"
    payload, config = PAYLOADS[what](str(canary)), members.config
    owner = config
    for key in PLACES[where][:-1]:
        owner = owner[key]
    if PLACES[where]:
        owner[PLACES[where][-1]] = payload
    else:
        config = payload
    members.config = config
    members.sign()
    refused = UserError if load is tfvae.load_model else Exception
    with pytest.raises(refused):
        load(members.write(tmp_path / "m.keras"))
    assert not canary.exists()
