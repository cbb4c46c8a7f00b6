"""How fast training, evaluation and sampling are, beside the matrix products that they hold."""

from tfvae.benchmark.measure import Settings, benchmark
from tfvae.benchmark.table import text

__all__ = ["Settings", "benchmark", "text"]
