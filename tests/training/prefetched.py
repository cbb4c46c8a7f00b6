"""Run in a process of its own, because a process's virtual devices are fixed when it starts.

Prints what `fit` makes of a streamed data set whose batches are copied to a device ahead of the
steps, and of the same data set without. A second virtual CPU stands in for the accelerator.
"""

import json
import sys
import warnings

import tensorflow as tf


def main():
    cpus = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(
        cpus[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )
    import keras

    from tests.models.tiny import IMAGES, vae
    from tfvae.training import streaming

    warnings.filterwarnings("error", message=".*ran out of data")
    images = tf.data.Dataset.from_tensor_slices(IMAGES[:20]).batch(8)

    def fit(devices):
        asked = []
        streaming.accelerators = lambda: asked.append(1) or devices
        keras.utils.set_random_seed(0)
        model = vae()
        model.compile("adam")
        history = model.fit(images, validation_data=images, epochs=3, verbose=0).history
        prepared = len(asked)
        steps = int(model.optimizer.iterations)
        model.fit(images.repeat(), steps_per_epoch=2, verbose=0)
        counted = len(asked) - prepared
        moved = streaming.ahead(images)
        return {
            "history": history,
            "prepared": prepared,
            "counted": counted,
            "steps": steps,
            "batches": int(moved.cardinality()),
            "device": next(iter(moved)).device[-5:],
        }

    print(json.dumps({"host": fit([]), "ahead": fit(["/device:CPU:1"])}))


if __name__ == "__main__":
    sys.exit(main())
