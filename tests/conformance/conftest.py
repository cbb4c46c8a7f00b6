import pytest

from tests.conformance.cases import CASES, SERVED, TRAINED


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def case(request):
    """Every member."""
    return request.param


@pytest.fixture(scope="module", params=TRAINED, ids=lambda case: case.name)
def trained_graph(request):
    """One member for each distinct graph of a training step."""
    return request.param


@pytest.fixture(scope="module", params=SERVED, ids=lambda case: case.name)
def served_graph(request):
    """One member for each distinct graph of exported files."""
    return request.param
