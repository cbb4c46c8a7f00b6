"""How fast training, evaluation and sampling are, beside the matrix products that they hold."""

from tfvae.benchmark.measure import Workload, benchmark
from tfvae.benchmark.table import text

__all__ = ["Workload", "benchmark", "text"]
