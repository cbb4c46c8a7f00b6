import pytest

from tests.conformance.cases import CASES, NAMES


@pytest.fixture(scope="module", params=CASES, ids=NAMES)
def case(request):
    return request.param
