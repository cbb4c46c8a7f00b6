"""What a model lacks the capabilities for is said before it is trained, and left out."""

import json
from pathlib import Path

import pytest
import tensorflow as tf

import tfvae
from tests.models.tiny import vae
from tfvae import presets
from tfvae.cli.main import main
from tfvae.data.fingerprint import fingerprint
from tfvae.export.tflite_files.variants import VARIANTS
from tfvae.runs.abilities import left_out, variants_of
from tfvae.runs.training import train

QUICK = {"epochs": 1, "steps_per_execution": 1}


@pytest.fixture
def trained(tmp_path):
    """Trains a model of `members`: what train returned, and the lines before the first epoch."""

    def run(name, **changes):
        settings = presets.get("digits", model=f"tests.runs.members:{name}", **QUICK, **changes)
        lines = []
        done = train(settings, tmp_path / name, tmp_path / "export", report=lines.append)
        before = next(i for i, line in enumerate(lines) if "weights; compiling" in line)
        return done, "\n".join(lines[:before])

    return run


def test_a_model_that_only_generates_is_trained(trained, tmp_path):
    done, said = trained("Generator", units=(8,), latent_size=2)
    assert "The likelihood of held-out data needs a model that scores" in said
    assert said.count("Generator can't. It is left out.") == 4  # and three TFLite variants
    assert "test" not in json.loads(done.folder.metrics.read_text("utf-8"))
    assert {path.stem for path in done.folder.pictures.iterdir()} >= {"samples", "training_curves"}
    names = {path.name for path in (tmp_path / "export").iterdir()}
    ours = {"current", "sets", "manifest.json"}
    assert names == {"decoder", "decoder.tflite", "report.json", *ours}
    manifest = tfvae.export.verify(tmp_path / "export")
    assert (manifest.model, manifest.metrics) == ("Generator", {})
    assert manifest.data == {"name": "digits", "fingerprint": fingerprint("digits")}
    assert tfvae.load_model(done.folder.model).sample(2, seed=1).shape == (2, 8, 8, 1)
    again = tmp_path / "again" / "export"
    main(["export", str(done.folder.path), "--output", str(again)])
    assert tfvae.export.verify(again) == manifest  # and so are the files, whose hashes it has


def test_a_model_that_can_do_nothing_is_trained_all_the_same(trained, tmp_path):
    done, said = trained("Mute")
    assert "The export needs a model that encodes" in said
    assert [path.stem for path in done.folder.pictures.iterdir()] == ["training_curves"]
    assert not (tmp_path / "export").exists()
    assert list(map(Path.is_file, done.written)) == [True] * len(done.written)


def test_evaluating_it_is_refused_by_name(trained, capfd):
    done, _ = trained("Mute")
    with pytest.raises(SystemExit) as request:
        main(["evaluate", str(done.folder.path)])
    assert request.value.code == 1
    assert "needs a model that scores" in capfd.readouterr().err


def test_nothing_is_left_out_of_a_vae():
    model = vae()
    model.build((None, 8, 8, 1))
    assert left_out(model, presets.get("digits"), exporting=True) == []
    assert variants_of(model) == list(VARIANTS)


def test_codes_that_no_stage_can_learn_are_refused_before_training(tmp_path):
    settings = presets.get("digits-two-stage", model="tests.runs.members:Mute", **QUICK)
    with pytest.raises(ValueError, match=r"a further stage needs a model that encodes: .*Mute can"):
        train(settings, tmp_path / "run", report=lambda line: None)
    assert not (tmp_path / "run").exists()


class Workers:
    """The strategy of a worker of two, as far as a run looks at it."""

    class cluster_resolver:  # noqa: N801
        @staticmethod
        def cluster_spec():
            return tf.train.ClusterSpec({"worker": ["localhost:1", "localhost:2"]})


def test_one_of_several_workers_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(tf.distribute, "get_strategy", lambda: Workers)
    with pytest.raises(RuntimeError, match=r"one of 2 workers.*save it in the first worker"):
        train(presets.get("digits"), tmp_path / "run")
    assert not (tmp_path / "run").exists()
