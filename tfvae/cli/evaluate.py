"""`tfvae evaluate`."""

import json
from pathlib import Path

import click

from tfvae.cli.options import SEED_RANGE, OutputFile
from tfvae.cli.quiet import load_tensorflow
from tfvae.cli.runs import Run
from tfvae.runs.files import write_text
from tfvae.runs.folder import RunFolder

_COUNT = click.IntRange(min=1)


@click.command("evaluate", short_help="Estimate a run's likelihood on held-out examples.")
@click.argument("run", type=Run())
@click.option("--num-samples", type=_COUNT, help="Draws of z for each example.  [the run's]")
@click.option("--num-examples", type=_COUNT, help="Only so many examples.  [the run's]")
@click.option("--seed", type=SEED_RANGE, default=0, show_default=True)
@click.option("--gap", is_flag=True, help="Also split log p(x) - ELBO in two.")
@click.option("--output", type=OutputFile(), help="Also write JSON here.")
def command(
    run: RunFolder,
    num_samples: int | None,
    num_examples: int | None,
    seed: int,
    gap: bool,
    output: Path | None,
) -> None:
    """Estimate the log-likelihood of a run's held-out examples; of each stage, of its own data.

    Of a model that has no likelihood, the squared error of reconstructions, beside PCA's.

    RUN is the folder that `tfvae train` wrote, such as runs/digits.
    """
    run.check_data()
    load_tensorflow()
    from tfvae.runs.code_bounds import bounds_alone, measure_bound
    from tfvae.runs.datasets import load_data
    from tfvae.runs.joint import JOINT, joint_lines, measure_joint
    from tfvae.runs.measuring import (
        measure,
        measure_reconstruction,
        measured_gap,
        reconstructs_alone,
        table,
    )

    found = {}
    for name, (model, settings) in run.read_stages().items():
        data, examples = load_data(settings, model), num_examples or settings["eval_examples"]
        if bounds_alone(model):
            found[name] = measure_bound(model, data[1], examples)
            continue
        if reconstructs_alone(model):
            found[name] = measure_reconstruction(model, *data, examples)
            continue
        samples = num_samples or settings["eval_samples"]
        # First, since not every posterior can be refined.
        gaps = measured_gap(model, data[1], samples, examples, seed) if gap else None
        found[name] = measure(model, data[1], samples, examples, seed)
        if gaps is not None:
            found[name]["inference_gap"] = gaps
    together, config = None, run.read_config()
    if config.stages:
        model, examples = run.read_model(), num_examples or config["eval_examples"]
        together = measure_joint(model, load_data(config, model)[1], examples)
    for line in [*table(found), *joint_lines(together)]:
        click.echo(line)
    if output is not None:
        first, *further = found
        test = found[first] | ({"stages": {n: found[n] for n in further}} if further else {})
        test |= {} if together is None else {JOINT: together}
        write_text(output, json.dumps(test, indent=2) + "\n")
        click.echo(output)
