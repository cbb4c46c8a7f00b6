"""Peers in eager PyTorch, channels last: `torch_peer.py BATCH_SIZE MODEL`.

`vq_vae` is the network of `tfvae train mnist-vq-vae` with its code book: straight-through codes,
moving averages, dead codes put on vectors of the batch. `ladder` is that of `tfvae train
mnist-ladder --network conv`: five levels, precision-weighted merges, batch normalisation. Images
lie in memory as float32 and are binarised in the step. Needs `pip install torch`, in an environment
of its own. Run by `compare.py`; see there for the protocol.
"""

import math
import sys
import time

import torch
from torch import nn
from torch.nn import functional

NUM_IMAGES, CODES, SIZE, DECAY, RESTART_BELOW = 6_400, 128, 32, 0.99, 0.03
LEVELS, UNITS, SLOPE = (64, 32, 16, 8, 4), (512, 256, 128, 64, 32), 0.2


class Same(nn.Conv2d):
    """A strided convolution that pads as TensorFlow does."""

    def forward(self, x):
        size, stride = self.kernel_size[0], self.stride[0]
        missing = max((math.ceil(x.shape[2] / stride) - 1) * stride + size - x.shape[2], 0)
        first, last = missing // 2, missing - missing // 2
        return super().forward(functional.pad(x, (first, last, first, last)))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Conv2d(64, 32, 3, padding=1)
        self.outer = nn.Conv2d(32, 64, 1, bias=False)

    def forward(self, x):
        return x + self.outer(functional.relu(self.inner(functional.relu(x))))


class Pixels(nn.Module):
    """Logits of pixels, with a bias for each."""

    def __init__(self):
        super().__init__()
        self.projection = nn.Conv2d(32, 1, 1, bias=False)
        self.bias = nn.Parameter(torch.zeros(1, 28, 28))

    def nll(self, features, x):
        logits = self.projection(features) + self.bias
        return functional.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)


class VQVAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            Same(1, 32, 4, 2), nn.ReLU(), Same(32, 64, 4, 2), Block(), Block(), nn.ReLU()
        )
        self.projection = nn.Conv2d(64, SIZE, 1)
        self.decoder = nn.Sequential(
            *(nn.Conv2d(SIZE, 64, 3, padding=1), Block(), Block(), nn.ReLU()),
            *(nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.ReLU()),
            *(nn.ConvTranspose2d(32, 32, 4, 2, 1), nn.ReLU()),
        )
        self.pixels = Pixels()
        self.codes, self.counts = torch.randn(CODES, SIZE), torch.ones(CODES)
        self.sums = self.codes.clone()

    def loss(self, x):
        found = self.projection(self.encoder(x)).permute(0, 2, 3, 1)
        flat = found.reshape(-1, SIZE)
        with torch.no_grad():
            halves = 0.5 * self.codes.square().sum(1)
            indices = (halves - flat @ self.codes.T).argmin(1)
        nearest = self.codes[indices].reshape(found.shape)
        commitment = (found - nearest).square().sum() / len(x)
        passed = found + (nearest - found).detach()
        nll = self.pixels.nll(self.decoder(passed.permute(0, 3, 1, 2)), x)
        with torch.no_grad():
            self.learn(flat, indices)
        return nll + 0.25 * commitment

    def learn(self, flat, indices):
        ones = torch.ones(len(flat))
        counts = torch.zeros(CODES).index_add_(0, indices, ones)
        sums = torch.zeros(CODES, SIZE).index_add_(0, indices, flat)
        self.counts = DECAY * self.counts + (1 - DECAY) * counts
        self.sums = DECAY * self.sums + (1 - DECAY) * sums
        total = self.counts.sum()
        smoothed = (self.counts + 1e-5) / (total + CODES * 1e-5) * total
        codes, mean = self.sums / smoothed[:, None], self.counts.mean()
        dead = self.counts < RESTART_BELOW * mean
        chosen = flat[torch.randint(len(flat), (CODES,))]
        self.codes = torch.where(dead[:, None], chosen, codes)
        self.sums = torch.where(dead[:, None], mean * chosen, self.sums)
        self.counts = torch.where(dead, mean, self.counts)


def dense(size, units):
    return nn.Sequential(
        *(nn.Linear(size, units, bias=False), nn.BatchNorm1d(units), nn.LeakyReLU(SLOPE)),
        *(nn.Linear(units, units, bias=False), nn.BatchNorm1d(units), nn.LeakyReLU(SLOPE)),
    )


def normal(layer, features):
    mean, scale = layer(features).chunk(2, dim=1)
    return mean, functional.softplus(scale) + 1e-5


class Ladder(nn.Module):
    def __init__(self):
        super().__init__()
        leaky, above, below = nn.LeakyReLU(SLOPE), range(1, len(LEVELS)), range(len(LEVELS) - 1)
        self.encoder = nn.Sequential(
            *(Same(1, 32, 3, 2), leaky, Same(32, 64, 3, 2), leaky, nn.Flatten()),
            *(nn.Linear(3136, 512), leaky, nn.Linear(512, 512), leaky),
        )
        self.up = nn.ModuleList(dense(UNITS[i - 1], UNITS[i]) for i in above)
        self.down = nn.ModuleList(dense(LEVELS[i], UNITS[i]) for i in above)
        self.posteriors = nn.ModuleList(
            nn.Linear(u, 2 * n) for u, n in zip(UNITS, LEVELS, strict=True)
        )
        self.priors = nn.ModuleList(nn.Linear(UNITS[i + 1], 2 * LEVELS[i]) for i in below)
        self.decoder = nn.Sequential(
            *(nn.Linear(LEVELS[0], 512), leaky, nn.Linear(512, 512), leaky),
            *(nn.Linear(512, 3136), leaky, nn.Unflatten(1, (64, 7, 7))),
            *(nn.ConvTranspose2d(64, 64, 3, 2, 1, output_padding=1), leaky),
            *(nn.ConvTranspose2d(64, 32, 3, 2, 1, output_padding=1), leaky),
        )
        self.pixels = Pixels()

    def loss(self, x):
        features = [self.encoder(x)]
        for layer in self.up:
            features.append(layer(features[-1]))
        found = [normal(q, f) for q, f in zip(self.posteriors, features, strict=True)]
        prior = torch.zeros(()), torch.ones(())
        mean, scale = found[-1]
        z, kl = None, 0.0
        for i in reversed(range(len(LEVELS))):
            if i < len(LEVELS) - 1:
                prior = normal(self.priors[i], self.down[i](z))
                one, other = found[i][1] ** -2, prior[1] ** -2
                scale = (one + other) ** -0.5
                mean = (found[i][0] * one + prior[0] * other) * scale**2
            z = mean + scale * torch.randn_like(mean)
            ratio, away = scale / prior[1], (mean - prior[0]) / prior[1]
            kl = kl + (0.5 * (ratio**2 + away**2 - 1) - ratio.log()).sum() / len(x)
        return self.pixels.nll(self.decoder(z), x) + kl


MODELS = {"vq_vae": VQVAE, "ladder": Ladder}


def epoch(model, optimizer, images, batch_size):
    for rows in torch.randperm(len(images)).split(batch_size):
        x = images[rows]
        x = (torch.rand_like(x) < x).float()
        optimizer.zero_grad(set_to_none=True)
        loss = model.loss(x.contiguous(memory_format=torch.channels_last))
        loss.backward()
        optimizer.step()
    return float(loss.detach())


def main(batch_size, name):
    torch.manual_seed(0)
    model = MODELS[name]().to(memory_format=torch.channels_last)
    images = torch.randint(256, (NUM_IMAGES, 1, 28, 28)) / 255.0
    optimizer = torch.optim.Adam(model.parameters(), 2e-3, eps=1e-4)
    assert math.isfinite(epoch(model, optimizer, images, batch_size))
    print("ready", sum(weight.numel() for weight in model.parameters()), flush=True)
    for line in sys.stdin:
        seconds, done = float(line), 0
        start, busy = time.perf_counter(), time.process_time()
        while time.perf_counter() - start < seconds:
            epoch(model, optimizer, images, batch_size)
            done += len(images)
        print(done / (time.perf_counter() - start), done / (time.process_time() - busy), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
