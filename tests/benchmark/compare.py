"""Training speed of `vae.fit` and of plain JAX: `compare.py JAX_PYTHON [BATCH_SIZE] [MODEL]`.

MODEL is `vae` (default), `iaf` or `iwae`; see `jax_peer.py`. JAX_PYTHON is the interpreter of an
environment with JAX. Each peer prints "ready", reads seconds and prints images per second of the
clock and of a processor, in turns. The ratios are within one turn, so a busy machine changes them
little; those of processor time least.
"""

import statistics
import subprocess
import sys
from pathlib import Path

ROUNDS, SECONDS = 5, 2.0


def start(python, script, *arguments):
    command = [python, str(Path(__file__).parent / script), *arguments]
    pipe = subprocess.PIPE
    peer = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
    assert peer.stdout.readline().strip() == "ready", f"{script} did not start"
    return peer


def measure(peer):
    peer.stdin.write(f"{SECONDS}\n")
    peer.stdin.flush()
    return [float(number) for number in peer.stdout.readline().split()]


def main(jax_python, batch_size="128", model="vae"):
    peers = {
        "JAX": start(jax_python, "jax_peer.py", batch_size, model),
        "tfvae": start(sys.executable, "tfvae_peer.py", batch_size, model),
    }
    rounds = [{name: measure(peer) for name, peer in peers.items()} for _ in range(ROUNDS)]
    for kind, number in (("of the clock", 0), ("of a processor", 1)):
        rates = {name: [turn[name][number] for turn in rounds] for name in peers}
        medians = ", ".join(f"{name} {statistics.median(r):,.0f}" for name, r in rates.items())
        ratio = statistics.median(a / b for a, b in zip(rates["tfvae"], rates["JAX"], strict=True))
        print(f"images per second {kind}: {medians}; tfvae / JAX {ratio:.2f}")
    for peer in peers.values():
        peer.stdin.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
