"""Tables of numbers in `.csv` or `.parquet` files, read by pyarrow."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow
from pyarrow import compute, csv, parquet, types

from tfvae.data.array_rows import rows_of
from tfvae.data.catalogue import NONE, DatasetSpec
from tfvae.data.fields import Field
from tfvae.data.rows import Columns, Rows
from tfvae.data.splits import Split, hold_out
from tfvae.data.validate import check_values
from tfvae.errors import UserError
from tfvae.suggestions import nearest

TEST_FRACTION = 0.1
_REAL = Field((), interval=None)


def read(
    path: Path,
    test_fraction: float | None = None,
    fields: Sequence[str] | None = None,
    optional: Sequence[str] = (),
) -> Split:
    """Reads a table whose first line, in a `.csv`, names its columns.

    Without `fields`, the table is the vector x of all its columns, which are numbers. With them,
    each named column is a number of its own, an int32 where it holds whole numbers or booleans, and
    "x" is the vector of all other columns of numbers, in the table's order.

    Args:
        path: a `.csv` or `.parquet` file.
        test_fraction: share of the rows that are held out, 0.1 by default.
        fields: names of columns, and "x".
        optional: those of `fields` that the table may lack.

    Raises:
        ValueError: damaged, empty, a column that is not there, and text, missing values or
            infinities in a column that is read; the message has the column and the row, from 0.
    """
    table = _table(path)
    lacking = set(optional).difference(table.column_names)
    own = [name for name in fields or () if name != "x" and name not in lacking]
    rows = {name: _named(table, name, path) for name in own}
    if fields is None or "x" in fields:
        others = [name for name in table.column_names if name not in own]
        if fields is not None:
            others = [name for name in others if _of_numbers(table[name].type)]
        rows["x"] = _vector(table, others, path)
    columns = Columns(rows)
    spec = DatasetSpec(
        path.stem, columns.fields, NONE, "tables", f"{len(columns)} rows of {path.name}"
    )
    fraction = TEST_FRACTION if test_fraction is None else test_fraction
    return hold_out(spec, columns, fraction, str(path))


def read_with_holes(path: Path) -> tuple[list[str], np.ndarray]:
    """Reads all columns of a table of numbers, some of whose entries are missing.

    Args:
        path: a `.csv` or `.parquet` file.

    Returns:
        The columns' names, and float64 `[rows, columns]` with NaN where there is nothing.

    Raises:
        UserError: damaged, empty, or text in a column; the message has the column and the row.
    """
    table = _table(path)
    columns = []
    for name in table.column_names:
        column = table[name]
        if not _of_numbers(column.type) and not types.is_null(column.type):
            raise _text_in(column, name, path, "or leave it out where the run's data do")
        values = column.cast(pyarrow.float64()).to_numpy(zero_copy_only=False)
        columns.append(values)
    return table.column_names, np.stack(columns, axis=1)


def _table(path: Path) -> pyarrow.Table:
    try:
        if path.suffix.lower() == ".parquet":
            table = parquet.read_table(path)
        else:
            # One block, so that a column's type is told from all of its rows.
            block = min(path.stat().st_size + 1, 2**31 - 1)
            table = csv.read_csv(path, csv.ReadOptions(block_size=block))
    except (pyarrow.ArrowInvalid, OSError) as error:
        if isinstance(error, PermissionError):
            raise
        raise UserError(
            f"{path} cannot be read as a {path.suffix} file ({error}). It may be truncated or of "
            "another format. Write it again."
        ) from error
    names = table.column_names
    if not table.num_rows:
        raise UserError(f"{path} is empty: it has {len(names)} columns and no rows.")
    # A first row with a hole is one of numbers, too.
    if any(map(_is_number, names)) and all(not name or _is_number(name) for name in names):
        raise UserError(
            f"{path} begins with the numbers {', '.join(names[:3])}; expected the columns' names "
            "there. Put a line with them first."
        )
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"{path} has several columns {repeated[0]!r}. Give each its own name.")
    return table


def _named(table: pyarrow.Table, name: str, path: Path) -> Rows:
    """A column as a field of its own."""
    if name not in table.column_names:
        raise UserError(
            f"{path} has no column {name!r}.{nearest(name, table.column_names)} It has "
            f"{', '.join(map(repr, table.column_names))}, and 'x' for those that are not named."
        )
    values, what = _values(table, name, path), f"{path}[{name!r}]"
    if values.dtype != bool and not np.issubdtype(values.dtype, np.integer):
        return Rows(_real(values, what), _REAL)
    return rows_of({what: values}, name)[what]


def _vector(table: pyarrow.Table, names: Sequence[str], path: Path) -> Rows:
    """The field x of these columns."""
    if not names:
        raise UserError(f"{path} has no columns of numbers left for x. Name fewer in fields=(...).")
    columns = [_real(_values(table, name, path), f"{path}[{name!r}]") for name in names]
    return Rows(np.stack(columns, axis=1), Field((len(names),), interval=None))


def _real(values: np.ndarray, what: str) -> np.ndarray:
    """float32 values; whole numbers have to be exact."""
    values = values.astype(np.uint8) if values.dtype == bool else values
    check_values(values, _REAL, what)
    return values.astype(np.float32)


def _values(table: pyarrow.Table, name: str, path: Path) -> np.ndarray:
    """The numbers of a column, none of them missing."""
    column = table[name]
    missing = compute.index(compute.is_null(column, nan_is_null=True), True).as_py()
    if missing >= 0:
        raise UserError(
            f"{path} has a missing value in column {name!r}, the first in row {missing} (counted "
            "from 0). Drop those rows, fill them in, or leave the column out."
        )
    if _of_numbers(column.type):
        return column.to_numpy()
    advice = "or leave it out with fields=('x',), which takes the columns of numbers"
    raise _text_in(column, name, path, advice)


def _text_in(column: pyarrow.ChunkedArray, name: str, path: Path, advice: str) -> UserError:
    shown = enumerate("" if value is None else str(value) for value in column.to_pylist())
    row, text = next(
        (pair for pair in shown if pair[1] and not _is_number(pair[1])), (0, str(column[0]))
    )
    return UserError(
        f"{path} has {column.type} in column {name!r}, the first in row {row} (counted from 0): "
        f"{text!r}. Expected numbers. Encode it as whole numbers, {advice}."
    )


def _of_numbers(kind: pyarrow.DataType) -> bool:
    return types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
