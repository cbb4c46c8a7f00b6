"""A benchmark as text."""

from typing import Any


def text(result: dict[str, Any]) -> list[str]:
    """Returns the lines of a table."""
    machine = result["machine"]
    devices = ", ".join(machine["accelerators"]) or f"{machine['cpus']} CPUs"
    lines = [
        f"{devices}, TensorFlow {machine['tensorflow']}, Keras {machine['keras']}, "
        f"tfvae {machine['tfvae']}",
        f"{result['parameters']:,} weights; first epoch with compilation "
        f"{result['first_epoch_seconds']:.1f} s; peak memory {_memory(result)}",
        f"{'':12}{'per second':>14}{'products alone':>18}{'share':>8}{'by CPU time':>13}",
    ]
    for name in ("training", "evaluation", "sampling"):
        row = result[name]
        lines.append(
            f"{name:12}{row['per_second']:14,.0f}{row['products_per_second']:18,.0f}"
            f"{row['share_of_products']:8.0%}{row['share_by_processor_time']:13.0%}  {row['unit']}"
        )
    evaluation = result["evaluation"]
    lines.append(
        f"Evaluation is {evaluation['images_per_second']:.1f} images a second at "
        f"{evaluation['num_samples']} samples."
    )
    return lines


def _memory(result: dict[str, Any]) -> str:
    parts = {"host": result["peak_memory_mb"], "accelerator": result["peak_accelerator_mb"]}
    return ", ".join(f"{name} {size} MB" for name, size in parts.items() if size) or "unknown"
