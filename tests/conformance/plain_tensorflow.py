"""Run in a process of its own: TensorFlow alone, with TFP, Keras and tfvae impossible to import.

stdin: JSON [{"path", "signature", "inputs": .npz, "outputs": .npz to write}].
"""

import json
import sys

HIDDEN = ("tfvae", "tensorflow_probability", "keras", "tf_keras")


class Hiding:
    """A finder that cannot find what is hidden. TensorFlow itself asks whether Keras is there."""

    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in HIDDEN:
            return None
        return self.finder.find_spec(name, path, target)


def main():
    sys.meta_path[:] = [Hiding(finder) for finder in sys.meta_path]
    import numpy as np
    import tensorflow as tf

    loaded = {}
    for job in json.load(sys.stdin):
        if job["path"] not in loaded:
            loaded[job["path"]] = tf.saved_model.load(job["path"])
        inputs = {k: tf.constant(v) for k, v in np.load(job["inputs"]).items()}
        outputs = loaded[job["path"]].signatures[job["signature"]](**inputs)
        np.savez(job["outputs"], **{k: v.numpy() for k, v in outputs.items()})
    imported = [name for name in HIDDEN if name in sys.modules]
    print(json.dumps({"imported": imported}))


if __name__ == "__main__":
    main()
