"""What a result depends on besides its settings: versions, and what it took."""

import os
import platform
import subprocess
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

import tfvae

try:
    import resource
except ImportError:  # Windows
    resource = None


def library_versions() -> dict[str, str]:
    """Of what a result depends on."""
    return {
        "tfvae": tfvae.__version__,
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "tensorflow_probability": tfp.__version__,
        "numpy": np.__version__,
    }


def peak_memory_mb() -> int | None:
    """The most memory that this process has held, or None where the system does not say."""
    if resource is None:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1 << 20 if platform.system() == "Darwin" else 1 << 10))


def machine_name() -> str:
    """The processor, how many of its cores there are, and the accelerators."""
    names = [f"{_processor()}, {os.cpu_count()} cores"]
    for device in tf.config.list_physical_devices("GPU"):
        names.append(tf.config.experimental.get_device_details(device).get("device_name", "GPU"))
    return ", ".join(names)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    found = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return found[0] if found else platform.processor() or platform.machine()


def code_revision() -> str | None:
    """The commit of the checkout that runs, "+" if the package differs; None if it is none."""
    package = Path(tfvae.__file__).parent
    if not (package.parent / ".git").exists():
        return None

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(package), *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        changed = "+" if git("status", "--porcelain", "--", ".") else ""
        return git("rev-parse", "--short=12", "HEAD") + changed
    except (OSError, subprocess.CalledProcessError):  # no git, or not allowed to read
        return None
