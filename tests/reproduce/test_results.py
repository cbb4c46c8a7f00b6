"""What is kept is read as it was written, and refused where it is broken."""

import json

import pytest

from tests.reproduce.small import TABLE, result
from tfvae.errors import UserError
from tfvae.reproduce.results import current_results, read_results, write_results
from tfvae.reproduce.rows import Row


@pytest.fixture
def kept(tmp_path):
    path = tmp_path / "small.json"
    results = [result("tril"), result("diag", 1), result("diag")]
    write_results(path, TABLE, {(r.row, r.seed): r for r in results})
    return path


def test_results_are_read_as_they_were_written_in_the_tables_order(kept):
    found = read_results(kept, TABLE)
    assert list(found) == [("diag", 0), ("diag", 1), ("tril", 0)]
    assert found["diag", 1] == result("diag", 1)
    assert read_results(kept.with_name("none.json"), TABLE) == {}


def changed(content, **changes):
    content["rows"][0] |= changes
    return content


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: {**content, "schema": 2}, "expected schema 1 and table 'small'"),
        (lambda content: {**content, "table": "digits"}, "expected schema 1 and table 'small'"),
        (lambda content: {**content, "rows": {}}, "rows: Input should be a valid"),
        (lambda content: {**content, "rows": [1]}, "rows.0: Input should be an object"),
        (lambda content: changed(content, seed="0"), "rows.0.seed: Input should be a valid int"),
        (lambda content: changed(content, epochs=None), "rows.0.epochs: Input should be a valid"),
        (lambda content: changed(content, elbo=float("nan")), "rows.0.elbo: Input should be a fin"),
        (lambda content: changed(content, note=""), "rows.0.note: Unexpected keyword argument"),
        (lambda content: changed(content, annealed={}), "rows.0.annealed.log_likelihood: Field"),
        (lambda content: changed(content, row="dlag"), "the table has no row 'dlag', seed 0"),
        (lambda content: changed(content, seed=1), "row 'diag', seed 1 is there twice"),
    ],
)
def test_a_broken_file_is_refused_with_what_to_do(kept, change, said):
    kept.write_text(json.dumps(change(json.loads(kept.read_text("utf-8")))), "utf-8")
    with pytest.raises(UserError) as caught:
        read_results(kept, TABLE)
    assert said in str(caught.value)
    assert f"{kept} can't be used" in str(caught.value)
    assert "Restore it" in str(caught.value)


def test_a_half_written_file_is_refused(kept):
    kept.write_bytes(kept.read_bytes()[:-40])
    with pytest.raises(UserError, match=r"small\.json is damaged"):
        read_results(kept, TABLE)


def test_a_result_of_another_command_is_not_the_rows():
    row = Row("diag", "digits", {"latent_size": 3}, 4)
    assert not result("diag").is_of(row)
    assert result("diag").is_of(TABLE.rows["diag"])
    short = result("diag", epochs=2)
    assert short.is_of(TABLE.rows["diag"])
    assert short.has(2)
    assert not short.has(None)
    assert not short.has(3)
    assert result("diag").has(9)
    kept = {("diag", 0): result("diag"), ("tril", 0): result("diag")}
    assert current_results(TABLE, kept)["tril"] == []
