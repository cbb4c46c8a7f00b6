"""CSV and Parquet: which columns become which fields, and what is refused."""

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from tfvae.data import Field, arrays, fields_of, load, mean, sources
from tfvae.errors import UserError

COLUMNS = {
    "age": np.arange(20, 40),
    "height": np.linspace(1.5, 2.0, 20),
    "smokes": np.arange(20) % 2 == 0,
    "change": np.arange(-10, 10),
    "income": np.linspace(-1e6, 1e6, 20).astype("float32"),
}
REAL = Field((), interval=None)


def write(path, **columns):
    """The table as a file of the path's kind."""
    if path.suffix == ".parquet":
        parquet.write_table(pyarrow.table(columns), path)
        return path
    rows = zip(*columns.values(), strict=True)
    lines = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(params=[".csv", ".parquet"])
def table(request, tmp_path):
    return tmp_path / f"people{request.param}"


def test_a_table_of_numbers_is_one_vector(table):
    write(table, **COLUMNS)
    train, test = load(table, batch_size=18)
    assert fields_of(train) == {"x": Field((5,), interval=None)}
    batch = np.concatenate([next(iter(train)), next(iter(test))])
    expected = np.stack(list(COLUMNS.values()), axis=1).astype("float32")
    np.testing.assert_array_equal(batch[np.argsort(batch[:, 0])], expected)
    assert train.element_spec.shape == (18, 5)
    assert (train.cardinality(), test.cardinality()) == (1, 1)
    np.testing.assert_allclose(mean(train), arrays(table).train["x"].mean(axis=0), rtol=1e-4)


def test_named_columns_are_fields_of_their_own(table):
    write(table, name=list("abcdefghijklmnopqrst"), **COLUMNS)
    fields = ("x", "age", "change", "smokes", "income")
    train, _ = load(table, fields=fields, batch_size=18)
    assert fields_of(train) == {
        "x": Field((1,), interval=None),  # the height: text is no number
        "age": Field.label(40),
        "change": Field((), "int32", None),
        "smokes": Field.label(2),
        "income": REAL,
    }
    batch = next(iter(train))
    row = np.asarray(batch["age"]) - 20
    np.testing.assert_array_equal(batch["x"][:, 0], COLUMNS["height"][row].astype("float32"))
    for name in ("change", "smokes", "income"):
        np.testing.assert_array_equal(batch[name], COLUMNS[name][row])
    train, _ = load(table, fields=("age",))
    assert fields_of(train).keys() == {"age"}


def test_a_table_may_lack_a_column_that_is_optional(table):
    write(table, **COLUMNS)
    asked = {"fields": ("x", "label", "age"), "optional": ("label", "age")}
    found = sources.read(table, **asked).train
    assert found.fields == {"x": Field((4,), interval=None), "age": Field.label(40)}
    with pytest.raises(UserError, match="no column 'label'"):
        sources.read(table, fields=("x", "label"), optional=("age",))


def test_as_many_rows_are_held_out_as_asked_for(table):
    write(table, **COLUMNS)
    assert len(arrays(table).test["x"]) == 2
    assert len(arrays(table, test_fraction=0.5, fields=("age",)).test["age"]) == 10


BAD = {
    "text": ({"city": ["1", "2", "Rome"]}, None, r"string in column 'city', .*row 2 .*: 'Rome'"),
    "named text": ({"city": ["Rome"] * 3}, ("city",), "string in column 'city', .*row 0"),
    "missing": ({"b": [1.0, None, None]}, None, "missing value in column 'b', the first in row 1"),
    "nan": ({"b": [1.0, 2.0, float("nan")]}, ("b",), "missing value in column 'b', .* in row 2"),
    "infinite": ({"b": [1.0, 2.0, float("inf")]}, None, r"\['b'\] has 1 NaN or infinite"),
    "too large": ({"b": [1.0, 2.0, 1e300]}, None, r"\['b'\] has values from 1 to 1e\+300"),
    "not exact": ({"b": [1, 2, 2**24 + 1]}, None, r"\['b'\] has values from 1 to 16777217"),
    "no int32": ({"b": [1, 2, 2**31]}, ("b",), r"\['b'\] has values from 1 to .*whole numbers"),
    "no such column": ({"b": [1, 2, 3]}, ("x", "c", "bb"), "no column 'c'"),
    "misspelt": ({"weight": [1, 2, 3]}, ("wieght",), "Did you mean 'weight'"),
    "no x left": ({"b": [1, 2, 3]}, ("x", "a", "b"), "no columns of numbers left for x"),
    "no rows": ({"b": []}, None, "is empty: it has 2 columns and no rows"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("kind", [".csv", ".parquet"])
def test_bad_tables(tmp_path, case, kind):
    columns, fields, message = BAD[case]
    shown = {name: ["" if v is None else v for v in c] for name, c in columns.items()}
    filled = columns if kind == ".parquet" else shown
    size = len(next(iter(columns.values())))
    path = write(tmp_path / f"t{kind}", a=[0.5, 1.5, 2.5][:size], **filled)
    with pytest.raises(ValueError, match=message) as error:
        load(path, fields=fields)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "cannot be read as a .csv file .*Empty CSV"),
        ("a,b\n1,2\n3\n", "cannot be read as a .csv file .*Expected 2 columns, got 1"),
        ("a,a\n1,2\n", "several columns 'a'"),
        ("1,,2.5\n3,4,5\n", r"begins with the numbers 1, , 2\.5; expected the columns' names"),
        ("1,2.5\n3,4\n", r"begins with the numbers 1, 2\.5; expected the columns' names"),
        ("a\n1\n", "holds 1 example; expected at least 2"),
    ],
)
def test_damaged_csv(tmp_path, content, message):
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        load(path)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_damaged_parquet(tmp_path, share):
    path = write(tmp_path / "t.parquet", **COLUMNS)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"t.parquet cannot be read as a \.parquet file"):
        load(path)


def test_text_late_in_a_long_csv_is_found(tmp_path):
    """pyarrow tells types from the first megabyte, unless told otherwise."""
    path = tmp_path / "t.csv"
    path.write_text("a\n" + "123456789.5\n" * 200_000 + "x\n")
    with pytest.raises(ValueError, match=r"in column 'a', the first in row 200000 .*: 'x'"):
        load(path)
