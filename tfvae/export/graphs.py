"""From functions of tensors to graphs, and to a plain SavedModel of them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import tensorflow as tf

from tfvae.export.canonical import canonicalise
from tfvae.export.quiet import quiet_notes

Specs = Mapping[str, tf.TensorSpec]
Graph: TypeAlias = tf.types.experimental.ConcreteFunction


def shared(function: Callable) -> Any:
    """What several signatures call: the file holds its graph once."""
    return tf.function(function, autograph=False)


def traced(function: Callable, specs: Specs) -> Graph:
    """The function's graph at these inputs, named as they are."""
    return shared(function).get_concrete_function(**specs)


def save(graphs: Mapping[str, Graph], folder: Path) -> None:
    """Writes a SavedModel with a signature for each graph, and nothing of Keras.

    The variables are tracked one by one: those inside a Keras layer were left out of TFLite files,
    which then returned NaN. Their order is that in which the graphs capture them: a graph keeps its
    variables themselves in a set, whose order is another in each process.
    """
    module = tf.Module()
    module.model_variables = list(
        {id(v): v for graph in graphs.values() for v in _captured(graph)}.values()
    )
    with quiet_notes():
        tf.saved_model.save(module, str(folder), signatures=dict(graphs))
    canonicalise(folder)


def _captured(graph: Graph) -> list[tf.Variable]:
    """The variables of a graph, in the order in which it captured them."""
    by_handle = {id(variable.handle): variable for variable in graph.graph.variables}
    captured = (by_handle.get(id(tensor)) for tensor, _ in graph.graph.captures)
    return [variable for variable in captured if variable is not None]
