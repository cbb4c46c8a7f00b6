"""The table of plain networks that predict pixels. Nothing here needs TensorFlow."""

from dataclasses import dataclass
from typing import ClassVar

from tfvae.reproduce.methods import MethodTable, Quantity

_SEEN = {"one-seen": 1, "two-seen": 2, "three-seen": 3}


@dataclass(frozen=True)
class QuadrantsTask:
    """Images of which some quadrants are seen; a method is how many.

    Attributes:
        name: Of the rows' beginning.
        title, text: Of its section.
        preset: Whose data, networks and training are the plain network's.
        epochs: Of it.
        seeds: Of the rows.
        methods: Of the rows.
    """

    name: str
    title: str
    text: str
    preset: str
    epochs: int
    seeds: tuple[int, ...] = (0,)
    methods: tuple[str, ...] = tuple(_SEEN)
    quantities: ClassVar = (
        Quantity("nll", "-log p of the unseen", 2, "nats", lower_is_better=True),
    )

    def seen(self, method: str) -> int:
        """How many quadrants are seen."""
        return _SEEN[method]

    def protocol(self, method: str) -> str:
        """What a result depends on, beside the seed."""
        return f"{self.preset} without codes, {self.epochs} epochs: {self.seen(method)} seen"


QUADRANTS_TABLES = {
    table.name: table
    for table in (
        MethodTable(
            "quadrants",
            "Quadrants by a plain network",
            "Of digits as bits one, two or three quadrants are seen, and a network without codes "
            "gives a probability to each of the other pixels, all of them independent given what "
            "is seen. `tfvae reproduce labels` has the conditional VAE of the same networks beside "
            "the figures of others, trained for longer: on MNIST for 50 epochs. None was tuned.",
            (
                QuadrantsTask(
                    "mnist",
                    "MNIST",
                    "784-200-200-784, 20 epochs, all 10,000 test images. The plain network of "
                    "Pyro's tutorial on the model of Sohn et al. 2015 has 100.4, 61.9 and 25.4.",
                    "mnist-quadrants",
                    20,
                ),
                QuadrantsTask(
                    "digits",
                    "Digits",
                    "scikit-learn's 8 x 8 digits, 359 held-out images.",
                    "digits-quadrants",
                    100,
                ),
            ),
            "tfvae.reproduce.predicting:run_quadrants",
        ),
    )
}
