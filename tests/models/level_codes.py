"""Small models of two levels of codes, and of their prior."""

import tfvae
from tfvae import Decoder, heads, networks, quantisers

SHAPE, CODES = (16, 16, 1), 6
NARROW = {"num_blocks": 1, "activation": "elu"}  # of relu all may be dead at the start


def vq_vae_2(make=lambda **named: quantisers.VectorQuantised(CODES, 3, **named), depth=1, side=16):
    """A bottom of a quarter of the image's size, and so many levels above it."""
    size = side // 4
    levels = []
    for number in range(2, 2 + depth):
        levels.append(
            tfvae.CodeLevel(
                networks.ResidualConv([5], name=f"upward_{number}", **NARROW),
                make(name=f"quantiser_{number}"),
                networks.ResidualConvTranspose(
                    [5], (size, size), name=f"downward_{number}", **NARROW
                ),
                name=f"level_{number}",
            )
        )
        size //= 2
    return tfvae.VQVAE2(
        networks.ResidualConv([4, 6], **NARROW),
        make(),
        Decoder(
            networks.ResidualConvTranspose([6, 4], (side, side), **NARROW),
            heads.IndependentBernoulli((side, side, 1)),
        ),
        levels,
        seed=5,
    )


def prior(count, top, make=networks.GatedPixelCNN, codes=2, conditions=None, **options):
    """Of so many codes, whose top map has this shape."""
    network = make(codes, filters=8, num_layers=2, first_kernel_size=3, **options)
    model = tfvae.LevelsPixelCNN(network, (count,), top, conditions=conditions, seed=5)
    model.build(None)
    return model
