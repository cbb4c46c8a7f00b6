"""Running a `.tflite` file with LiteRT, as an app would, and what it needs of a machine."""

import statistics
import time
from typing import Any

import numpy as np

from tfvae.export.publishing import ExportError
from tfvae.export.tflite_files.quiet import quiet

_ALIGNMENT = 64  # of the runtime's tensors in the arena


class LiteRTFile:
    """A `.tflite` file, loaded by the LiteRT interpreter.

    Args:
        content: the file's bytes.
        delegates: whether the default CPU delegate (XNNPACK) takes what it can, as in an app.

    Raises:
        ExportError: if LiteRT is not installed or refuses the file.
    """

    def __init__(self, content: bytes, *, delegates: bool = True):
        try:
            from ai_edge_litert.interpreter import Interpreter, OpResolverType
        except ModuleNotFoundError as error:
            raise ExportError(
                "TFLite files are checked with LiteRT before they are published, and it is not "
                "installed. Run: pip install ai-edge-litert"
            ) from error
        kind = "AUTO" if delegates else "BUILTIN_WITHOUT_DEFAULT_DELEGATES"
        self.content = content
        try:
            with quiet():  # it announces its delegate, when it first allocates
                self.interpreter = Interpreter(
                    model_content=content,
                    num_threads=1,
                    experimental_op_resolver_type=OpResolverType[kind],
                )
                self.interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ExportError(f"LiteRT does not load the exported file: {error}") from error

    def run(self, signature: str, **inputs: Any) -> dict[str, np.ndarray]:
        """The outputs of a signature by name; Python ints are passed as int32."""
        runner = self.interpreter.get_signature_runner(signature)
        arrays = {
            name: np.int32(value) if isinstance(value, int) else np.asarray(value, np.float32)
            for name, value in inputs.items()
        }
        return runner(**arrays)

    def latency(self, signature: str, *, seconds: float = 0.1, **inputs: Any) -> float:
        """Median seconds of a call on one thread, of at least 5 calls after the first two."""
        runs = []
        for _ in range(2):
            self.run(signature, **inputs)
        while len(runs) < 5 or sum(runs) < seconds:
            start = time.perf_counter()
            self.run(signature, **inputs)
            runs.append(time.perf_counter() - start)
        return statistics.median(runs)


def arena_bytes(content: bytes, signature: str, **inputs: Any) -> int:
    """Memory for the activations of one call, as TFLite's memory planner lays them out.

    The Python interpreter does not tell the size of its arena. This runs the call without
    delegates, so that every shape is known, and then plans as the runtime does: largest tensor
    first, each at the lowest address that is free while it lives, 64-byte boundaries, inputs and
    outputs kept to the end. Kernels' scratch buffers and the packed weights of a delegate come on
    top; weights themselves are read from the file in place.
    """
    from tensorflow.lite.tools import flatbuffer_utils

    file = LiteRTFile(content, delegates=False)
    file.run(signature, **inputs)
    model = flatbuffer_utils.convert_bytearray_to_object(content)
    (definition,) = [d for d in model.signatureDefs if d.signatureKey == signature.encode()]
    graph = model.subgraphs[definition.subgraphIndex]
    lives = _lifetimes(graph)
    requests = []
    for number, (first, last) in lives.items():
        data = model.buffers[graph.tensors[number].buffer].data
        if data is None or not len(data):
            details = file.interpreter._get_tensor_details(number, definition.subgraphIndex)
            size = int(np.prod(details["shape"])) * np.dtype(details["dtype"]).itemsize
            requests.append((size, first, last))
    return plan(requests)


def _lifetimes(graph: Any) -> dict[int, tuple[int, int]]:
    """Tensor number -> the first and the last operator that needs it."""
    end = len(graph.operators)
    lives = {int(number): (0, end) for number in graph.inputs}
    for step, operator in enumerate(graph.operators):
        for number in (*operator.inputs, *operator.outputs):
            if number >= 0:
                first, last = lives.get(int(number), (step, step))
                lives[int(number)] = (first, max(last, step))
    for number in graph.outputs:
        lives[int(number)] = (lives.get(int(number), (0, 0))[0], end)
    return lives


def plan(requests: list[tuple[int, int, int]]) -> int:
    """The bytes that tensors (size, first step, last step) take when placed greedily by size."""
    placed: list[tuple[int, int, int, int]] = []  # start, stop, first, last
    for size, first, last in sorted(requests, key=lambda request: (-request[0], request[1])):
        start = 0
        for begin, stop, other_first, other_last in sorted(placed):
            alive_together = first <= other_last and other_first <= last
            if alive_together:
                if start + size <= begin:
                    break
                start = max(start, -(-stop // _ALIGNMENT) * _ALIGNMENT)
        placed.append((start, start + size, first, last))
    return max((stop for _, stop, _, _ in placed), default=0)
