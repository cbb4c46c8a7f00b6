"""The strangers' models, for what is asked of all models."""

import pytest

from tests.extension.cases import CASES, NAMES


@pytest.fixture(params=CASES, ids=NAMES)
def case(request):
    return request.param
