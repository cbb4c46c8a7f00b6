"""Run in a process of its own, because a process's virtual devices are fixed when it starts.

Prints what one step makes of the same images on one device and on two replicas.
"""

import json
import sys

import numpy as np
import tensorflow as tf


def main():
    cpus = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(
        cpus[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )
    import keras

    from tests.models.tiny import IMAGES, SHAPE, vae

    def step(strategy):
        keras.utils.set_random_seed(0)
        with strategy.scope():
            model = vae()
            model.compile(keras.optimizers.SGD(0.1))
            model.build((None, *SHAPE))
        before = [w.numpy() for w in model.trainable_weights]
        images = tf.data.Dataset.from_tensor_slices(IMAGES[:16]).batch(16)
        logs = model.fit(images, verbose=0).history
        moved = [w.numpy() - b for w, b in zip(model.trainable_weights, before, strict=True)]
        norm = float(np.sqrt(sum(np.sum(m**2) for m in moved)))
        model.evaluate(images, verbose=0)
        several = tf.data.Dataset.from_tensor_slices(IMAGES).batch(4)
        model.fit(several, validation_data=several, epochs=2, verbose=0)
        return {
            "replicas": strategy.num_replicas_in_sync,
            "norm": norm,
            "steps": int(model.optimizer.iterations.numpy()),
            "jit_compile": model.jit_compile,
            **{k: v[0] for k, v in logs.items()},
        }

    seeds = []
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        model = vae()
    seeds = strategy.experimental_local_results(strategy.run(model.next_seed))
    report = {
        "one": step(tf.distribute.get_strategy()),
        "two": step(strategy),
        "seeds": [s.numpy().tolist() for s in seeds],
    }
    print(json.dumps(report))


if __name__ == "__main__":
    sys.exit(main())
