"""Training speed of `vae.fit` and of a peer: `compare.py PYTHON [BATCH_SIZE] [MODEL]`.

MODEL is `vae` (default), `iaf` or `iwae` beside plain JAX, see `jax_peer.py`; `vq_vae` or `ladder`
beside eager PyTorch with channels last, see `torch_peer.py`. PYTHON is the interpreter of an
environment with JAX or PyTorch; where it has none, that is said and nothing is compared. Each peer
prints "ready", and its number of weights where these are to be the same; it reads seconds and
prints images per second of the clock and of a processor, in turns. The ratios are within one turn,
so a busy machine changes them little; those of processor time least.
"""

import statistics
import subprocess
import sys
from pathlib import Path

ROUNDS, SECONDS = 5, 2.0
OF_JAX, OF_TORCH = ("jax_peer.py", "jax"), ("torch_peer.py", "torch")
TORCH_MODELS = ("vq_vae", "ladder")


def start(python, script, *arguments):
    """Returns the process and how many weights it says that it has, if it says so."""
    command = [python, str(Path(__file__).parent / script), *arguments]
    pipe = subprocess.PIPE
    peer = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
    word, *weights = peer.stdout.readline().split() or [""]
    assert word == "ready", f"{script} did not start"
    return peer, weights


def measure(peer):
    peer.stdin.write(f"{SECONDS}\n")
    peer.stdin.flush()
    return [float(number) for number in peer.stdout.readline().split()]


def main(python, batch_size="128", model="vae"):
    peer, library = OF_TORCH if model in TORCH_MODELS else OF_JAX
    if subprocess.run([python, "-c", f"import {library}"], capture_output=True).returncode:
        print(f"{python} has no {library}: nothing is compared. pip install {library}")
        return
    started = {
        library: start(python, peer, batch_size, model),
        "tfvae": start(sys.executable, "tfvae_peer.py", batch_size, model),
    }
    (_, weights), (_, own) = started.values()
    assert not (weights and own) or weights == own, f"not the same network: {weights} and {own}"
    peers = {name: process for name, (process, _) in started.items()}
    rounds = [{name: measure(peer) for name, peer in peers.items()} for _ in range(ROUNDS)]
    for kind, number in (("of the clock", 0), ("of a processor", 1)):
        rates = {name: [turn[name][number] for turn in rounds] for name in peers}
        medians = ", ".join(f"{name} {statistics.median(r):,.0f}" for name, r in rates.items())
        ratio = statistics.median(
            a / b for a, b in zip(rates["tfvae"], rates[library], strict=True)
        )
        print(f"images per second {kind}: {medians}; tfvae / {library} {ratio:.2f}")
    for peer in peers.values():
        peer.stdin.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
