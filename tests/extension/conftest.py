"""Every stranger, and one trained model of each."""

import pytest

from tests.extension.cases import BATCH, CASES, NAMES


@pytest.fixture(scope="session", params=CASES, ids=NAMES)
def case(request):
    return request.param


@pytest.fixture(scope="session")
def trained(case):
    """A model after some epochs, and its history."""
    model = case.built()
    history = model.fit(case.inputs, batch_size=BATCH, epochs=30, verbose=0).history
    return model, history
