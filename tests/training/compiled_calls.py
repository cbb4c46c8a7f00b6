"""Run in a process of its own, whose XLA_FLAGS dump every program that XLA compiles.

Prints, of each call that uses a trained model, how many programs were compiled the first time and
when it is asked again for other values of the same shapes.
"""

import glob
import itertools
import json
import sys

from tests.models.tiny import IMAGES, SHAPE, vae
from tfvae import evaluation

SIZED = {"batch_size": 8, "verbose": 0}  # 20 images: the last batch is filled


def main(folder):
    model = vae()
    model.compile("adam", jit_compile=True)
    model.build((None, *SHAPE))

    def annealed(i):
        return evaluation.annealed_importance_sampling(
            model, IMAGES, 2, 3 + i, 0.1 * (1 + i), seed=i, **SIZED
        )

    calls = {
        "predict": lambda i: model.predict(IMAGES[i : 8 + i], **SIZED),
        "evaluate": lambda i: model.evaluate(IMAGES[i : 16 + i], **SIZED),
        "sample": lambda i: model.sample(3 + 30 * i, seed=i, temperature=1.0 / (1 + i)),
        "log_likelihood": lambda i: model.log_likelihood(IMAGES[i:], 7, seed=i, **SIZED),
        "naive_log_likelihood": lambda i: evaluation.naive_log_likelihood(
            model, IMAGES[i:], 7, seed=i, **SIZED
        ),
        "elbo": lambda i: evaluation.elbo(model, IMAGES[i:], 2, seed=i, **SIZED),
        "latent_codes": lambda i: evaluation.latent_codes(model, IMAGES[i:], **SIZED),
        "kl_per_dimension": lambda i: evaluation.kl_per_dimension(model, IMAGES[i:], **SIZED),
        "annealed_importance_sampling": annealed,
        "bidirectional": lambda i: evaluation.bidirectional(
            model, 20 - i, 2, 3 + i, 0.1 * (1 + i), seed=i, batch_size=8
        ),
        "refine": lambda i: evaluation.refine(
            model, IMAGES[i:], 3 + i, 0.1 * (1 + i), 2, 7, seed=i, **SIZED
        ),
        "posterior_samples": lambda i: evaluation.posterior_samples(
            model, IMAGES[i:], "hmc", 4, 2, 2, seed=i, **SIZED
        ),
    }
    counts = {}
    for name, call in calls.items():
        seen = [_compiled(folder)]
        for i in range(3):
            call(i)
            seen.append(_compiled(folder))
        counts[name] = [after - before for before, after in itertools.pairwise(seen)]
    print(json.dumps(counts))


def _compiled(folder):
    """How many programs XLA has compiled."""
    return len(glob.glob(f"{folder}/*before_optimizations.txt"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
