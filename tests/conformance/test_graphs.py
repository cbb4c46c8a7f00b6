"""A member that is not compiled or exported by itself has the graph of one that is."""

import collections

import numpy as np
import pytest
import tensorflow as tf

from tests.conformance.cases import BATCH, CASES, LATENTS

BY_NAME = {case.name: case for case in CASES}


def operations(function, *arguments):
    """How often each operation occurs in a function's graph, the functions that it calls included.

    Constants are left out: their number depends on which of them are shared.
    """
    graph = tf.function(function, autograph=False).get_concrete_function(*arguments).graph
    graphs = [
        graph.as_graph_def().node,
        *(f.node_def for f in graph.as_graph_def().library.function),
    ]
    found = collections.Counter(node.op for nodes in graphs for node in nodes)
    return {name: count for name, count in found.items() if name not in ("Const", "Identity")}


def trained(case):
    model = case.built()
    return operations(lambda batch: model.loss_terms(batch, True).terms, case.batch(BATCH))


def served(case):
    model, z = case.built(), tf.constant(np.zeros((BATCH, LATENTS), "float32"))
    encoded = operations(model.encoder_outputs, case.batch(BATCH))
    return encoded, operations(model.decoder_outputs, z, case.conditions(BATCH))


@pytest.mark.parametrize("name", [case.name for case in CASES if case.trained_as])
def test_trained_as_it_says(name):
    other = BY_NAME[BY_NAME[name].trained_as]
    assert other.trained_as is None
    assert trained(BY_NAME[name]) == trained(other)


@pytest.mark.parametrize("name", [case.name for case in CASES if case.served_as])
def test_served_as_it_says(name):
    other = BY_NAME[BY_NAME[name].served_as]
    assert other.served_as is None
    assert served(BY_NAME[name]) == served(other)


def test_graphs_differ_where_nothing_is_said():
    """Else the comparison above sees nothing."""
    assert trained(BY_NAME["diag"]) != trained(BY_NAME["tril"])
    assert served(BY_NAME["diag"]) != served(BY_NAME["tril"])
