"""Joins two `.tflite` files into one: a part that must stay float32, and one that is quantised.

The converter quantises whatever it is given. In a float16 file the sampler's 2^-32 became 0 and its
2 pi became 6.28125; with int8 activations z itself had 256 values (measured: z was off by 2.7). So
the sampler is converted in float32, the decoder in its variant, and the graphs are joined here,
tensor for tensor:

    decode          z -> decoder -> probs, logits
    sample          num_samples -> sampler -> z -> decoder -> images
    sample_seeded   num_samples, seed -> sampler -> z -> decoder -> images

The three graphs share one set of buffers: the weights are in the file once.
"""

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
from tensorflow.lite.tools import flatbuffer_utils

from tfvae.export.publishing import ExportError

schema = flatbuffer_utils.schema_fb
_MINIMUM_RUNTIME = b"min_runtime_version"


def join(
    first_file: bytes,
    second_file: bytes,
    outputs: Mapping[str, str],
    *,
    keep: str | None = None,
    but: str | None = None,
) -> bytes:
    """Appends the second file's graph to every graph of the first.

    Args:
        first_file: signatures whose outputs have the names of the second's inputs.
        second_file: one signature.
        outputs: name in the new signatures -> name of the second's output, or of the first's.
        keep: keep the second's signature as well, under this name.
        but: which of its outputs to leave out there.

    Raises:
        ExportError: if the second has control flow (more than one subgraph).
    """
    part_model = flatbuffer_utils.convert_bytearray_to_object(second_file)
    model = flatbuffer_utils.convert_bytearray_to_object(first_file)
    if len(part_model.subgraphs) != 1:
        raise ExportError(
            f"a network became {len(part_model.subgraphs)} TFLite graphs; expected 1. Networks "
            "with loops or conditions can't be exported to TFLite."
        )
    _anonymise(model)
    _adopt(model, part_model)
    part = _Part(part_model.subgraphs[0], part_model.signatureDefs[0])
    for signature in model.signatureDefs:
        graph = model.subgraphs[signature.subgraphIndex]
        links = {_text(output.name): output.tensorIndex for output in signature.outputs}
        found = part.append_to(graph, links) | links
        _set_outputs(signature, graph, {name: found[source] for name, source in outputs.items()})
    if keep is not None:
        signature = part_model.signatureDefs[0]
        kept = {name: number for name, number in part.outputs.items() if name != but}
        _set_outputs(signature, part.graph, kept)
        signature.signatureKey, signature.subgraphIndex = keep.encode(), len(model.subgraphs)
        model.subgraphs.append(part.graph)
        model.signatureDefs.insert(0, signature)
    model.buffers = [_Aligned(buffer.data) for buffer in model.buffers]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _set_outputs(signature: Any, graph: Any, outputs: Mapping[str, int]) -> None:
    signature.outputs = []
    for name, number in outputs.items():
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name.encode(), number
        signature.outputs.append(entry)
    graph.outputs = np.array(list(outputs.values()), np.int32)


class _Aligned(schema.BufferT):
    """Data on a 16-byte boundary, as the converter has it and kernels that map the file want it."""

    def __init__(self, data: Any):
        super().__init__()
        self.data = data

    def Pack(self, builder: Any) -> int:  # noqa: N802
        if self.data is not None and len(self.data):
            builder.Prep(16, len(self.data))
        return super().Pack(builder)


class _Part:
    """A graph that can be appended to others."""

    def __init__(self, graph: Any, signature: Any):
        self.graph = graph
        self.inputs = {_text(entry.name): entry.tensorIndex for entry in signature.inputs}
        self.outputs = {_text(output.name): output.tensorIndex for output in signature.outputs}

    def append_to(self, graph: Any, sources: Mapping[str, int]) -> dict[str, int]:
        """Appends a copy that reads the sources' tensors; returns its outputs' indices by name."""
        index = {-1: -1, **{number: sources[name] for name, number in self.inputs.items()}}
        for number, tensor in enumerate(self.graph.tensors):
            if number not in index:
                index[number] = len(graph.tensors)
                unnamed = copy.copy(tensor)
                unnamed.name = b""
                graph.tensors.append(unnamed)
        for operator in self.graph.operators:
            moved = copy.copy(operator)
            for ends in ("inputs", "outputs", "intermediates"):
                numbers = getattr(operator, ends)
                if numbers is not None:
                    setattr(moved, ends, np.array([index[number] for number in numbers], np.int32))
            graph.operators.append(moved)
        return {name: index[number] for name, number in self.outputs.items()}


def _adopt(model: Any, other: Any) -> None:
    """Appends `other`'s buffers and operator codes to `model`'s, and renumbers them in `other`."""
    buffers, codes = len(model.buffers) - 1, len(model.operatorCodes)
    model.buffers += other.buffers[1:]  # buffer 0 is the empty one in both
    model.operatorCodes += other.operatorCodes
    for graph in other.subgraphs:
        for tensor in graph.tensors:
            tensor.buffer += buffers if tensor.buffer else 0
        for operator in graph.operators:
            operator.opcodeIndex += codes
    versions = [part for part in (model, other) if _minimum_runtime(part)]
    newest = max(versions, key=_minimum_runtime, default=None)
    if newest is other:
        for entry in other.metadata:
            entry.buffer += buffers if entry.buffer else 0
        model.metadata = other.metadata


def _minimum_runtime(model: Any) -> tuple[int, ...]:
    """The oldest runtime that knows the file's operators, such as (2, 14, 0)."""
    for entry in model.metadata or ():
        if entry.name == _MINIMUM_RUNTIME:
            text = bytes(model.buffers[entry.buffer].data).rstrip(b"\0").decode()
            return tuple(int(number) for number in text.split(".")) if text else ()  # no operators
    return ()


def _anonymise(model: Any) -> None:
    """Removes the names of inner tensors, which took a third of a small file."""
    for graph in model.subgraphs:
        for number, tensor in enumerate(graph.tensors):
            if number not in graph.inputs and number not in graph.outputs:
                tensor.name = b""


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name
