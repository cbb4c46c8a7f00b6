"""The weights that an HDF5 file says it holds, listed before any is read.

Keras writes plain arrays: no links, no filters, nothing outside of the file. What is not plain is
refused, because a few bytes of it can stand for terabytes, or for another file.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import h5py

from tfvae.errors import UserError

CONFIGURATION = "vars/configuration"  # a digest, no weight; see `tfvae.models.saving`
_BFLOAT16 = "V"  # as HDF5 holds it: bytes, and an attribute that says what they are
_KINDS = "biuf" + _BFLOAT16


class Stored(NamedTuple):
    """What is said of a weight: as far as these agree, it is restored bit for bit."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def bytes(self) -> int:
        """Its size in memory."""
        return math.prod(self.shape) * int(self.dtype[2:])


def stored_weights(file: h5py.File) -> dict[str, Stored]:
    """The weights of a file by their place, such as "decoder/head/vars/0".

    Raises:
        UserError: for anything but plain arrays of numbers, each stored whole.
    """
    found: dict[str, Stored] = {}
    groups, seen = [("", file)], {hash(file.id)}
    while groups:
        above, group = groups.pop()
        for name in group:
            place = f"{above}{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise UserError(f"{place} is a link to elsewhere")
            item = group[name]
            if hash(item.id) in seen:
                raise UserError(f"{place} stands in two places")
            seen.add(hash(item.id))
            if isinstance(item, h5py.Group):
                groups.append((f"{place}/", item))
            else:
                found[place] = _stored(place, item)
    return found


def _stored(place: str, item: Any) -> Stored:
    if not isinstance(item, h5py.Dataset) or item.shape is None or item.dtype.kind not in _KINDS:
        raise UserError(f"{place} is no array of numbers")
    if (item.dtype.kind == _BFLOAT16) != ("dtype" in item.attrs):  # by which Keras casts it
        raise UserError(f"{place} is said to be of two types")
    if item.external or item.is_virtual or item.id.get_create_plist().get_nfilters():
        raise UserError(f"{place} is compressed, or is stored elsewhere")
    found = Stored(item.shape, item.dtype.str)
    if item.id.get_storage_size() < found.bytes:
        raise UserError(
            f"{place} is said to be of shape {found.shape}, {found.bytes:,} bytes, and has "
            f"{item.id.get_storage_size():,}"
        )
    return found


def without_optimizers(weights: Mapping[str, Stored]) -> dict[str, Stored]:
    """The weights that are not the state of an optimizer."""
    return {place: stored for place, stored in weights.items() if not _owner(place)}


def difference(here: Mapping[str, Stored], there: Mapping[str, Stored]) -> str | None:
    """How a model's weights differ from those of a file, in words; None if they do not.

    Args:
        here: The weights of the model.
        there: Those of the file, which may hold the state of optimizers where the model has none:
            that is so of a model that is not compiled, and of the stages of another one.
    """
    owners = {_owner(place) for place in here}
    there = {p: stored for p, stored in there.items() if not _owner(p) or _owner(p) in owners}
    places = dict.fromkeys([*here, *there])
    differ = [place for place in places if here.get(place) != there.get(place)]
    if not differ:
        return None
    first = differ[0]
    return (
        f"{len(differ)} of {len(places)} differ, the first {first}, "
        f"{_said(here.get(first))} here and {_said(there.get(first))} in the file"
    )


def _owner(place: str) -> str:
    """The optimizer whose state stands here: "optimizer/", "stages/vae/optimizer/"; "" for none."""
    above, found, _ = f"/{place}".partition("/optimizer/")
    return found and above + found


def _said(stored: Stored | None) -> str:
    return "none" if stored is None else f"of shape {stored.shape}, type {stored.dtype}"
