"""Help, mistakes and exit codes: nothing here needs TensorFlow."""

import os
import subprocess
import sys

import pytest

from tfvae.cli.main import COMMANDS
from tfvae.errors import UserError, UserOSError

_HELP = """
import sys
from tfvae.cli.main import main
try:
    main({arguments})
except SystemExit as request:
    assert not request.code, request.code
heavy = {{"tensorflow", "keras", "numpy", "matplotlib", "sklearn"}} & set(sys.modules)
assert not heavy, heavy
"""


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_imports_nothing_heavy(arguments):
    code = _HELP.format(arguments=arguments)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Usage: tfvae" in done.stdout


def test_help_takes_less_than_0_3_seconds_of_computing():
    """Of processor time, the best of three: the clock on the wall depends on the neighbours."""
    seconds = []
    for _ in range(3):
        before = os.times()
        subprocess.run([sys.executable, "-m", "tfvae", "--help"], check=True, capture_output=True)
        after = os.times()
        used = after.children_user - before.children_user
        seconds.append(used + after.children_system - before.children_system)
    assert min(seconds) < 0.3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trian"], "Did you mean 'train'?"),
        (["train", "minst"], "Did you mean 'mnist'?"),
        (["train", "--latent-sise", "3"], "--latent-sise: no such setting. Did you mean '--latent"),
        (["train", "--nmae", "x"], "Did you mean '--name'?"),
        (["train", "--overwrit"], "wants a value. Did you mean '--overwrite'?"),
        (["train", "--latent-size", "2.5"], "received 2.5; expected a valid integer"),
        (
            ["train", "--latent-size=0"],
            "--latent-size: received 0; expected a number greater than 0",
        ),
        (["train", "--units", "200;200"], "received '200;200'; expected a list such as 200,200"),
        (["train", "--dataset", "minst"], "Did you mean 'mnist'?"),
        (["train", "--posterior", "trill"], "--posterior: no such posterior 'trill'. Did you mean"),
        (["train", "--posterior", "a.b:C"], "No module 'a.b'"),
        (["train", "--network.activation", "reul"], "--network.activation: received 'reul'"),
        (["train", "--activation", "reul"], "Did you mean 'relu'?"),
        (["train", "--filters", "8,16"], "--filters: belongs to --levels conv"),
        (["train", "--prior.num-components", "3"], "belongs to --prior mixture and --prior vamp"),
        (["train", "--callback", "linear_weight"], "--callback.epochs: is needed"),
        (["train", "--epochs"], "--epochs wants a value"),
        (["list", "trill"], "Did you mean 'tril'?"),
        (["evaluate", "no/such/run"], "no/such/run does not exist"),
        (["sample", os.curdir], "holds no run"),
        (["benchmark", "--output", "no/such/folder/x.json"], "Can't write no/such/folder/x.json"),
        (["benchmark", "--output", ""], "'' is no file's name"),
        (["train", "--eval-samples", "1000000000000"], "less than or equal to 1000000"),
        (["train", "--latent-size", "1000000000"], "less than or equal to 16777216"),
        (["train", "--name", ""], "'' is not a folder's name"),
        (["train", "--name", "../elsewhere"], "--runs-dir"),
        (["train", "--seed", "2147483648"], "less than 2147483648"),
        (["evaluate", os.curdir, "--seed", "x"], "not a valid integer range"),
        (["export", "no/such/run"], "Expected a folder that `tfvae train` wrote"),
    ],
)
def test_usage_errors_exit_with_2_and_no_traceback(tfvae_command, arguments, said):
    done = tfvae_command(*arguments)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err + done.out


def test_folder_of_something_else_is_refused(tfvae_command, tmp_path):
    (tmp_path / "digits").mkdir()
    (tmp_path / "digits" / "thesis.tex").write_text("precious", "utf-8")
    done = tfvae_command("train", "--runs-dir", tmp_path)
    assert done.code == 1
    assert "thesis.tex and no config.json" in done.err
    assert [path.name for path in tmp_path.rglob("*.*")] == ["thesis.tex"]


def test_unfinished_run_says_how_to_go_on(tfvae_command, tmp_path):
    (tmp_path / "config.json").write_text('{"schema": 1, "settings": {}}', "utf-8")
    done = tfvae_command("sample", tmp_path)
    assert done.code == 2
    assert "not finished" in done.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "config.json is damaged"),
        ("[" * 100_000, "config.json is damaged: it is nested more than 100 levels deep"),
        ('{"x": "' + "x" * 2**20 + '"}', "it has more than 1,048,576 bytes"),
        ("[]", "expected an object"),
        ('{"settings": {}}', "expected a schema number"),
        ('{"schema": 2, "settings": {}}', "has schema 2, and this version of tfvae reads up to 1"),
        ('{"schema": 1, "settings": {"latent_sise": 3}}', "latent_sise: no such setting."),
        ('{"schema": 1, "settings": {"epochs": "3"}}', "epochs: received '3'; expected a valid"),
    ],
)
def test_a_config_that_is_no_runs_is_one_message(tfvae_command, tmp_path, content, said):
    (tmp_path / "config.json").write_text(content, "utf-8")
    (tmp_path / "model.keras").write_text("", "utf-8")
    done = tfvae_command("evaluate", tmp_path)
    assert done.code == 1
    assert said in done.err
    assert len(done.err.splitlines()) == 1


def test_help_shows_the_arguments_of_what_is_chosen(tfvae_command):
    done = tfvae_command("train", "mnist", "--prior", "mixture", "--help")
    assert "--num-components, --prior.num-components INT" in done.out
    assert "[800]" in done.out
    assert "--num-components" not in tfvae_command("train", "--help").out


def test_list_shows_members_and_what_they_are(tfvae_command):
    every = tfvae_command("list").out
    assert "N(z; 0, I)" in every
    assert "importance_weighted" in every
    computed = tfvae_command("list", "relaxed_bernoulli")
    assert (computed.code, computed.err) == (0, "")
    assert "temperature: float, default an expression, see the text." in computed.out
    one = tfvae_command("list", "mixture").out
    assert "num_components: int, default 10. K, at least 1." in one
    assert "p(z) = sum_k pi_k N(z; loc_k, L_k L_k^T)" in one
    assert "arXiv:1705.07120" in one


def test_missing_library_says_what_to_install(tfvae_command, monkeypatch):
    from tfvae.cli import main

    def missing(name):
        raise ModuleNotFoundError("No module named 'grpc'", name="grpc")

    monkeypatch.setattr(main.importlib, "import_module", missing)
    done = tfvae_command("train")
    assert done.code == 1
    assert "pip install 'tfvae[serving]'" in done.err


@pytest.mark.parametrize("kind", [AssertionError, ValueError, TypeError, OSError, RuntimeError])
def test_a_bug_keeps_its_traceback(tfvae_command, monkeypatch, kind):
    from tfvae.cli import main

    def broken(name):
        raise kind("a bug")

    monkeypatch.setattr(main.importlib, "import_module", broken)
    with pytest.raises(kind, match="a bug"):
        tfvae_command("train")


@pytest.mark.parametrize("kind", [UserError, UserOSError, MemoryError])
def test_an_error_of_the_users_is_one_line(tfvae_command, monkeypatch, kind):
    from tfvae.cli import main

    def refused(name):
        raise kind("mend this")

    monkeypatch.setattr(main.importlib, "import_module", refused)
    done = tfvae_command("train")
    assert (done.code, done.err) == (1, "Error: mend this\n")
