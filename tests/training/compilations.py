"""Run in a process of its own, whose XLA_FLAGS dump every program that XLA compiles.

Fits and evaluates by programs of several steps, and of one where a callback looks at batches, and
prints how many of the loop's programs were compiled in each call.
"""

import glob
import itertools
import json
import sys

import keras

import tfvae
from tests.models.tiny import vae
from tests.training.conditional import DATA, compiled


def programs(folder):
    """How many of the loop's programs XLA has compiled."""
    return len(glob.glob(f"{folder}/*inference_program*before_optimizations.txt"))


def main(folder):
    counts = [programs(folder)]

    def noted(run, *arguments, **options):
        run(*arguments, verbose=0, **options)
        counts.append(programs(folder))

    class Look(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            assert logs["loss"] > 0

    train, test = tfvae.data.load("digits", batch_size=100)  # 15 batches, the last of 38 rows
    model = vae()
    model.compile("adam", steps_per_execution=4)
    noted(model.fit, train, epochs=2)  # four chunks an epoch
    noted(model.fit, train, epochs=2, callbacks=[Look()])
    noted(model.evaluate, test)
    noted(model.evaluate, test)
    model = vae()
    model.compile("adam")
    noted(model.fit, train, epochs=2, callbacks=[Look()])  # 15 executions of one step
    noted(model.fit, train, epochs=2)
    named = compiled(jit_compile=True)
    noted(named.fit, DATA, batch_size=6, epochs=2, callbacks=[Look()])
    noted(named.fit, DATA, batch_size=6, epochs=2)
    noted(named.fit, DATA, batch_size=8, epochs=2)
    print(json.dumps([after - before for before, after in itertools.pairwise(counts)]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
