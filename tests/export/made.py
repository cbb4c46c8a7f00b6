"""Sets of small text files, made as an export makes them, without TensorFlow."""

from tfvae.export.sets.manifest import Manifest, Spread
from tfvae.export.sets.publication import Source, publication

SERVABLES = ("encoder", "decoder", "vae")
MADE = Manifest("tiny", 1, "VAE", 64 * "0", "0.1.0", "2.21.0")  # of files that are written alone


def source(weights="a", **known):
    return Source("VAE", (weights * 64)[:64], "2.21.0", **known)


def known():
    spreads = {"elbo": Spread(-80.5, 9.25, 100), "kl": Spread(20.0, 3.5, 100)}
    return {"data": {"name": "digits", "fingerprint": "digits 1"}, "metrics": spreads}


def export_text(directory, weights="a", servables=SERVABLES, files=True, version=None, text=""):
    """Publishes a set whose files say of which weights they are; returns its publication."""
    options = {"servables": servables, "files": files, "version": version}
    with publication(directory, source(weights), **options) as made:
        for name in servables:
            folder = made.folder / name / str(made.manifest.version)
            (folder / "variables").mkdir(parents=True)
            (folder / "saved_model.pb").write_text(weights + text)
            (folder / "variables" / "variables.index").write_text(name)
        if files:
            (made.folder / "decoder.tflite").write_text(f"decoder {weights}{text}")
            (made.folder / "report.json").write_text(weights)
    return made


def tree(directory):
    """All below a folder that is not hidden, links by where they lead."""
    return {
        str(path.relative_to(directory)): str(path.readlink()) if path.is_symlink() else ""
        for path in directory.rglob("*")
        if not path.is_dir() or path.is_symlink()
    }


def links(directory):
    """What an export folder itself holds, but for its sets."""
    return {name: target for name, target in tree(directory).items() if "/" not in name}
