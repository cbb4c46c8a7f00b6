"""Calls every signature once, over REST or gRPC.

tfvae serve export/mnist
python export/clients/python_client.py http://127.0.0.1:8501
python export/clients/python_client.py grpc://127.0.0.1:8500
"""

import sys

import numpy as np

from tfvae.serving import Client, ServingError


def main(url: str) -> None:
    with Client(url, timeout=10.0) as client:
        client.wait_until_available(timeout=60.0)
        images = client.sample(4, seed=7)
        print("sample      ", images.shape, "the same pictures for the same seed")
        posterior = client.encode(images)
        print("encode      ", {name: value.shape for name, value in sorted(posterior.items())})
        decoded = client.decode(posterior["mean"])
        print("decode      ", {name: value.shape for name, value in sorted(decoded.items())})
        pixels = np.round(images * 255).astype(np.uint8)
        print("reconstruct ", client.reconstruct(pixels).shape, "from uint8, scaled by the model")
        scores = client.score(images, num_samples=64, seed=0)
        print("score       ", scores["log_likelihood"].round(1), "nats")
        print("interpolate ", client.interpolate(images[:1], images[1:2], steps=5).shape)
        try:
            client.decode(np.zeros((1, 1), np.float32))
        except ServingError as error:
            print("refused     ", error)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8501")
