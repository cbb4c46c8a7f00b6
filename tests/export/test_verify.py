"""`tfvae verify`: files, manifest and set agree, or one message says what does not."""

import json
import shutil
import subprocess
import sys

import pytest

from tests.export.made import export_text, known, source
from tfvae.cli.main import main
from tfvae.export import IntegrityError, verify
from tfvae.export.sets.layout import current_set, sets_of
from tfvae.export.sets.manifest import MANIFEST
from tfvae.export.sets.publication import publication


@pytest.fixture
def directory(tmp_path):
    """Two versions, of which the second is published."""
    export_text(tmp_path / "mnist", "a")
    export_text(tmp_path / "mnist", "b")
    return tmp_path / "mnist"


def published(directory):
    return current_set(directory)


def edited(directory, change):
    """Changes the manifest, and the name of the set with it where `change` leaves it readable."""
    path = published(directory) / MANIFEST
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def add(name, text="x"):
    def change(directory):
        path = published(directory) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return change


def remove(name):
    return lambda directory: (published(directory) / name).unlink()


def link(name, target):
    def change(directory):
        path = published(directory) / name
        path.unlink(missing_ok=True)
        path.symlink_to(target)

    return change


def said(**fields):
    return lambda directory: edited(directory, lambda content: content.update(fields))


def file(name, digest="0" * 64):
    return lambda directory: edited(directory, lambda c: c["files"].update({name: digest}))


def top_level(name, text="x"):
    def change(directory):
        (directory / name).unlink(missing_ok=True)
        (directory / name).write_text(text)

    return change


def write(content):
    return lambda directory: (published(directory) / MANIFEST).write_bytes(content)


def without_current(directory):
    (directory / "current").unlink()
    (directory / "current").symlink_to("sets/9-0123456789ab")


def in_an_older_set(directory):
    (directory / "vae" / "1" / "saved_model.pb").write_text("changed")


def other_current(directory):
    (directory / "current").unlink()
    (directory / "current").symlink_to("..")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (add("decoder.tflite"), r"decoder.tflite has been changed"),
        (add("vae/2/variables/variables.index"), r"variables.index has been changed"),
        (in_an_older_set, r"sets/1-.*saved_model.pb has been changed"),
        (remove("decoder.tflite"), r"lacks: decoder.tflite"),
        (remove("vae/2/saved_model.pb"), r"lacks: vae/2/saved_model.pb"),
        (add("vae/2/more.bin"), r"holds besides its set: vae/2/more.bin"),
        (add("vae/3/saved_model.pb"), r"holds besides its set: vae/3/saved_model.pb"),
        (link("decoder.tflite", "report.json"), "decoder.tflite is a link"),
        (link("vae/3", "2"), "vae/3 is a link"),
        (link("vae/1", "../../1-0123456789ab/encoder/1"), "vae/1 is a link"),
        (link("vae/1", "../../../../1-0123456789ab/vae/1"), "vae/1 is a link"),
        (remove(MANIFEST), "manifest.json"),
        (write(b"{"), "manifest.json is damaged: Expecting"),
        (write(b"\xff"), "manifest.json is damaged"),
        (write(b"[1]"), "expected an object with a schema number"),
        (write(b"[" * 100_000), "manifest.json is damaged: it is nested more than 100 levels"),
        (write(b" " * (5 << 20)), "manifest.json is damaged: it has more than 4,194,304 bytes"),
        (write(b'{"schema": 1, "schema": 1}'), "a key is there twice"),
        (said(schema=2), "of another schema than 1"),
        (said(schema=True), "expected an object with a schema number"),
        (said(version=0), "damaged: version"),
        (said(version="2"), "damaged: version"),
        (said(weights="abc"), "damaged: weights"),
        (said(surprise=1), "damaged: surprise"),
        (said(metrics={"elbo": {"mean": float("nan"), "std": 1, "count": 1}}), "damaged: metrics"),
        (file("../../../etc/passwd"), r"damaged: files.*leaves the folder"),
        (file("/etc/passwd"), r"damaged: files.*not a plain relative path"),
        (file("a//b"), r"damaged: files.*not a plain relative path"),
        (file("C:/x"), r"damaged: files.*leaves the folder"),
        (said(version=3), "is named for another manifest than it holds"),
        (said(name="other"), "is named for another manifest than it holds"),
        (top_level("decoder.tflite"), "is not the link to current/decoder.tflite"),
        (top_level("encoder_int8.tflite"), "holds encoder_int8.tflite, of no set"),
        (without_current, "leads to .* which is not there"),
        (other_current, "is no link to a set"),
    ],
)
def test_what_does_not_agree_is_one_message_and_exit_code_1(directory, change, message, capfd):
    verify(directory)
    change(directory)
    with pytest.raises(IntegrityError, match=message):
        verify(directory)
    with pytest.raises(SystemExit) as request:
        main(["verify", str(directory)])
    assert request.value.code == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("Error: ")
    assert err.count("\n") == 1


def test_a_set_may_be_elsewhere(directory, tmp_path):
    folder = published(directory)
    assert verify(folder).version == 2
    shutil.copytree(folder, tmp_path / "copied", symlinks=True)
    assert verify(tmp_path / "copied").version == 2
    shutil.copytree(directory, tmp_path / "all", symlinks=True)
    assert verify(tmp_path / "all").version == 2


def test_a_version_of_another_number_than_the_manifests_is_seen(directory):
    with publication(directory, source("c"), servables=["vae"]) as made:
        (made.folder / "vae" / "9").mkdir(parents=True)
        (made.folder / "vae" / "9" / "saved_model.pb").touch()
    with pytest.raises(IntegrityError, match="of another version than 3"):
        verify(directory)


def test_a_folder_that_holds_no_set_is_one_message(tmp_path):
    with pytest.raises(IntegrityError, match=r"holds no manifest.json: expected an export folder"):
        verify(tmp_path)


def test_the_command_says_what_it_has_found(directory, capfd):
    with publication(directory, source("c", **known()), files=True) as made:
        (made.folder / "decoder.tflite").write_text("x")
    main(["verify", str(directory)])
    out, _ = capfd.readouterr()
    assert "mnist, version 3, 1 files as its manifest says" in out
    assert "weights cccccccccccccccc" in out


def test_it_needs_no_tensorflow(directory):
    with publication(directory, source("c", **known()), files=True) as made:
        (made.folder / "decoder.tflite").write_text("x")
    script = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'tensorflow_probability', 'numpy', 'cryptography'):\n"
        "    sys.modules[name] = None\n"
        "import tfvae\n"
        "print(tfvae.export.read_manifest(sys.argv[1]).metrics['kl'].mean)\n"
        "from tfvae.cli.main import main\n"
        "main(['verify', sys.argv[1]])\n"
    )
    arguments = [sys.executable, "-c", script, str(directory)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("20.0\n")
    assert "version 3" in done.stdout


def test_sets_are_told_apart_by_more_than_their_version(directory):
    assert list(sets_of(directory).values()) == [1, 2]
    assert all(len(name) == 14 for name in sets_of(directory))
