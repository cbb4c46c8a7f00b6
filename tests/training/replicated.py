"""Run in processes of their own, because devices and workers are fixed when a process starts.

`python -m tests.training.replicated STRATEGY TRAINING ...` prints what came of these functions of
`trainings.py`: "mirrored" has two virtual CPUs, "workers" is one of those that `TF_CONFIG` names.
"""

import json
import sys

import tensorflow as tf


def main(name, *names):
    if name == "mirrored":
        cpus = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(
            cpus[0], [tf.config.LogicalDeviceConfiguration()] * 2
        )
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    else:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    from tests.training.trainings import results

    print(json.dumps(results(strategy, *names)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
