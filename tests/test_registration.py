"""Plain Keras loads what tfvae saved, in a process that imported tfvae and used nothing of it."""

import importlib
import inspect
import pkgutil
import subprocess
import sys

import keras
import numpy as np
import pytest

import tfvae
from tfvae.registration import registered_paths

LOAD = """
{imports}
assert "tfvae.models" not in sys.modules, "importing tfvae loaded its models"
model = keras.models.load_model(sys.argv[1])
x = np.load(sys.argv[2])
print(type(model).__module__, int(model.optimizer.iterations.numpy()))
np.save(sys.argv[3], model.predict(x, verbose=0))
"""


@pytest.mark.parametrize(
    "imports",
    ["import sys, numpy as np, tfvae, keras", "import sys, numpy as np, keras, tfvae"],
    ids=["tfvae first", "keras first"],
)
def test_plain_keras_loads_a_model_in_a_fresh_process(imports, tmp_path):
    vae = tfvae.VAE(
        tfvae.Encoder(tfvae.networks.Conv([4]), tfvae.heads.MultivariateNormalTriL(2)),
        tfvae.Decoder(tfvae.networks.MLP([8]), tfvae.heads.IndependentNormal((8, 8, 1))),
        tfvae.priors.MixtureOfGaussians(2, 3),
        tfvae.objectives.ImportanceWeighted(2),
    )
    vae.compile("adam")
    x = np.random.default_rng(0).random((4, 8, 8, 1), "float32")
    vae.fit(x, verbose=0)
    np.save(tmp_path / "x.npy", x)
    vae.save(tmp_path / "a.keras")
    files = [tmp_path / name for name in ("a.keras", "x.npy", "y.npy")]
    done = subprocess.run(
        [sys.executable, "-c", LOAD.format(imports=imports), *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["tfvae.models.vae", "1"]
    np.testing.assert_array_equal(np.load(files[2]), vae.predict(x, verbose=0))


def test_every_class_that_is_registered_has_a_stand_in():
    found = set()
    for module in pkgutil.walk_packages(tfvae.__path__, "tfvae."):
        if module.name == "tfvae.__main__":
            continue
        classes = inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
        found |= {
            f"{module.name}:{name}"
            for name, value in classes
            if value.__module__ == module.name
            and keras.saving.get_registered_name(value) == f"tfvae>{name}"
        }
    assert len(found) > 10
    assert set(registered_paths()) == found
