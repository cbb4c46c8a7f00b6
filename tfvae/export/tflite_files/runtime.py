"""Running a `.tflite` file with LiteRT, as an app would."""

import statistics
import time
from typing import Any

import numpy as np

from tfvae.export.publishing import ExportError
from tfvae.export.quiet import quiet_tflite


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
            with quiet_tflite():  # it announces its delegate, when it first allocates
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
            name: np.int32(value) if isinstance(value, int) else np.asarray(value)
            for name, value in inputs.items()
        }
        return runner(**arrays)

    def latency(self, signature: str, *, seconds: float = 0.1, **inputs: Any) -> float:
        """Median seconds of a call on one thread, of at least 5 calls after the first two."""
        runs: list[float] = []
        for _ in range(2):
            self.run(signature, **inputs)
        while len(runs) < 5 or sum(runs) < seconds:
            start = time.perf_counter()
            self.run(signature, **inputs)
            runs.append(time.perf_counter() - start)
        return statistics.median(runs)
