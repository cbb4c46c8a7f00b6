"""Other data than a run's own, as its model takes them."""

from dataclasses import replace
from typing import Any

import tensorflow as tf

from tfvae.data import sources
from tfvae.data.catalogue import CATALOGUE, NONE, STATIC
from tfvae.data.loaded import LoadedSet
from tfvae.data.pipeline import frozen, held_out_set
from tfvae.data.rows import Columns
from tfvae.data.standardising import standardised
from tfvae.errors import UserError
from tfvae.runs.datasets import load_data
from tfvae.settings.settings import Settings


def new_examples(
    model: Any,
    settings: Settings,
    name_or_path: str,
    as_it_is: bool = False,
    label: str | None = None,
) -> tf.data.Dataset:
    """Returns other data as the run's held-out examples are made: batches, in their own order.

    Bits, noise and units are those of the run: columns that it standardises are shifted and scaled
    by its own training rows.

    Args:
        model: Of the run.
        settings: Of the run.
        name_or_path: As for `tfvae.data.load`. Of what has a name, or a test set of its own, the
            held-out examples; of any other file or folder all examples, in its order.
        as_it_is: x alone as it is stored: no bits, no columns made of it, of any range.
        label: A column that is read where the data have it, the model's or not.

    Raises:
        UserError: for data that can't be read, or lack a field of the model.
    """
    _, like = load_data(settings, model)
    assert isinstance(like, LoadedSet)
    options = settings.group("data")
    own = ("x",) if as_it_is else tuple(like.recipe.columns.rows)
    optional = () if label is None else (label,)
    names = (*(name for name in own if name != label), *optional)
    found = sources.read(
        name_or_path, None, options.get("size"), options.get("background"), names, optional
    )
    rows = found.test if found.whole is None or name_or_path in CATALOGUE else found.whole
    names = tuple(name for name in names if name != label or name in rows.rows)
    columns = _with_fields(rows, names, name_or_path)
    binarisation = NONE if as_it_is else STATIC if like.recipe.drawn else like.recipe.binarisation
    if options.get("standardise"):
        dataset = settings["dataset"]
        train = sources.read(dataset, options.get("test_fraction"), fields=own).train
        _, columns, _ = standardised(_with_fields(train, own, dataset), columns, dataset)
    elif binarisation != NONE and not columns.fields["x"].of_pixels:
        raise UserError(
            f"x of {name_or_path} holds {columns.fields['x'].values}, and the run's has pixels, of "
            "which bits are drawn."
        )
    bare = like.recipe.bare and len(columns.rows) == 1
    recipe = replace(
        like.recipe, columns=columns, binarisation=binarisation, drawn=False, bare=bare
    )
    if as_it_is:
        recipe = replace(recipe, levels=None, derived=None, made=())
    elif recipe.derived is not None:
        recipe.derived.check(columns.fields.get("x"))
    return held_out_set(frozen(recipe))


def _with_fields(columns: Columns, names: tuple[str, ...], source: str) -> Columns:
    for name in names:
        if name not in columns.rows:
            raise UserError(f"{source} has no column {name!r}, which the run's model takes.")
    return Columns({name: columns.rows[name] for name in names})
