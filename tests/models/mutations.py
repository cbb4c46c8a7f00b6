"""Saved models, changed by a script in one place."""

import io
import json
import zipfile

import h5py

from tfvae.models.digests import config_digest
from tfvae.models.weight_files import CONFIGURATION

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
_NUMBERS = (0, -1, 1, 2, 3, 7, 9, 10**9, 10**30, 0.5, 1e308, None, True, "8", [8], {})
_TEXTS = ("", "x", "float16", "mixed_bfloat16", "tanh", "StandardNormal", "keras.layers", 3, None)


class Members:
    """The members of a `.keras` file, to be changed and written."""

    def __init__(self, path):
        with zipfile.ZipFile(path) as archive:
            self.content = {name: archive.read(name) for name in archive.namelist()}

    @property
    def config(self):
        return json.loads(self.content[CONFIG])

    @config.setter
    def config(self, value):
        self.content[CONFIG] = json.dumps(value).encode()

    def weights(self, change):
        """Lets `change` work on the HDF5 file of the weights."""
        buffer = io.BytesIO(self.content[WEIGHTS])
        with h5py.File(buffer, "r+") as file:
            change(file)
        self.content[WEIGHTS] = buffer.getvalue()

    def sign(self):
        """Makes the configuration the one that was saved, as who means harm can."""
        value = config_digest(self.config)

        def change(file):
            file[CONFIGURATION][...] = list(value)

        self.weights(change)

    def write(self, path, compression=zipfile.ZIP_STORED):
        with zipfile.ZipFile(path, "w", compression) as archive:
            for name, content in self.content.items():
                archive.writestr(name, content)
        return path


def _places(value):
    """The owner and the key of all values in a configuration."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in list(items):
        yield value, key
        if isinstance(part, dict | list):
            yield from _places(part)


def change_config(members, rng):
    """Changes a number, a text, a key, or the length of a list; says what."""
    config = members.config
    owner, key = rng.choice(list(_places(config)))
    value, kind = owner[key], rng.choice(("value", "value", "value", "drop", "rename", "twice"))
    if kind == "drop":
        del owner[key]
    elif kind == "rename" and isinstance(owner, dict):
        owner[f"{key}_"] = owner.pop(key)
    elif kind == "twice" and isinstance(owner, list):
        owner.insert(key, value)
    elif isinstance(value, str):
        owner[key] = rng.choice(_TEXTS)
    elif isinstance(value, dict):
        owner[key] = rng.choice((None, {}, [], "x", 3))
    elif type(value) in (int, float):
        owner[key] = rng.choice((*_NUMBERS, value + 1, 2 * value))
    else:
        owner[key] = rng.choice(_NUMBERS)
    members.config = config
    return f"{kind} {key}"


def change_weights(members, rng):
    """Takes a weight away, moves it, adds one, or gives it another shape or type; says what."""
    kind = rng.choice(
        ("drop", "move", "add", "reshape", "type", "group", "soft", "external", "hard")
    )
    said = []

    def change(file):
        arrays, groups = [], []
        file.visititems(lambda n, i: (arrays if isinstance(i, h5py.Dataset) else groups).append(n))
        name = rng.choice(arrays)
        value = file[name][()]
        said.append(f"{kind} {name}")
        if kind == "add":
            file[f"{rng.choice(groups)}/{rng.choice(('7', 'vars/30', 'x'))}"] = value
            return
        if kind == "group":
            del file[rng.choice(groups)]
            return
        del file[name]
        if kind == "move":
            file[f"{name}_"] = value
        elif kind == "reshape":
            file[name] = value.reshape(-1)[:-1] if value.size > 1 else value.reshape(1, 1)
        elif kind == "type":
            file[name] = value.astype("float64" if value.dtype == "float32" else "float32")
        elif kind == "soft":
            file[name] = h5py.SoftLink(f"/{rng.choice([a for a in arrays if a != name])}")
        elif kind == "external":
            file[name] = h5py.ExternalLink("elsewhere.h5", name)
        elif kind == "hard":
            file[name] = file[rng.choice([a for a in arrays if a != name])]

    members.weights(change)
    return said[0]


def change_archive(path, to, rng):
    """Cuts a file off, or overwrites bytes of it; says what."""
    content = bytearray(path.read_bytes())
    at, kind = rng.randrange(len(content)), rng.choice(("cut", "bytes"))
    if kind == "cut":
        del content[at:]
    else:
        content[at : at + 8] = rng.randbytes(len(content[at : at + 8]))
    to.write_bytes(content)
    return f"{kind} {at}"
