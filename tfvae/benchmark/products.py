"""The matrix products and convolutions of a function, run alone."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import tensorflow as tf

from tfvae.errors import UserError

OPERATIONS = (
    "MatMul",
    "BatchMatMulV2",
    "Conv2D",
    "Conv2DBackpropInput",
    "Conv2DBackpropFilter",
)
_CALLS, _LOOPS = ("PartitionedCall", "StatefulPartitionedCall"), ("While", "StatelessWhile")


class Loop(NamedTuple):
    """Products that run so often each time the function does.

    Attributes:
        times: 1 of what stands outside of loops.
        operations: of the traced graph.
    """

    times: int
    operations: list[tf.Operation]


class Products:
    """Runs what a function multiplies, and nothing else of it.

    The operations are those of the traced graph, each on operands of its shape, by TensorFlow's own
    kernels and without XLA: products that do not depend on each other may run at the same time, but
    no two repetitions do. What is in a loop runs as often as the loop goes round.

    Args:
        function: What is traced, such as a training step.
        *specs: Its arguments, with static shapes.
        rounds: How often a loop goes round that does not say how often it may.
    """

    def __init__(self, function: Callable, *specs: tf.TensorSpec, rounds: int = 1):
        graph = tf.function(function, autograph=False).get_concrete_function(*specs).graph
        self.loops = [loop for loop in _loops(graph, 1, rounds) if loop.operations]
        self._operands = [
            [[_operand(tensor) for tensor in operation.inputs] for operation in loop.operations]
            for loop in self.loops
        ]
        self._run = tf.function(self._repeat, autograph=False)

    @property
    def multiplications(self) -> int:
        """How many numbers are multiplied, and added up, each time."""
        return sum(loop.times * sum(map(_multiplications, loop.operations)) for loop in self.loops)

    def __call__(self, repetitions: int) -> None:
        """Runs all products so often, and waits for them."""
        if self.loops:
            self._run(tf.constant(repetitions), self._operands)[-1].numpy()

    def _repeat(self, repetitions: tf.Tensor, operands: Sequence) -> list[tf.Tensor]:
        def once() -> list[tf.Tensor]:
            found: list[tf.Tensor] = []
            for (times, operations), of_loop in zip(self.loops, operands, strict=True):
                found += _looped(times, operations, of_loop)
            return found

        every = [operation for loop in self.loops for operation in loop.operations]
        return [tf.reshape(output, [-1])[0] for output in _repeated(repetitions, every, once)]


def _looped(times: int, operations: list[tf.Operation], operands: Sequence) -> list[tf.Tensor]:
    """The outputs of operations that run so often."""

    def once() -> list[tf.Tensor]:
        return [_again(o, x) for o, x in zip(operations, operands, strict=True)]

    return once() if times == 1 else _repeated(times, operations, once)


def _repeated(
    times: int | tf.Tensor, operations: list[tf.Operation], once: Callable[[], list[tf.Tensor]]
) -> list[tf.Tensor]:
    """The last outputs of operations that run in turns, none of which is left out for its use."""
    outputs = [tf.zeros(o.outputs[0].shape, o.outputs[0].dtype) for o in operations]
    return tf.while_loop(
        lambda i, *_: i < times,
        lambda i, *_: (i + 1, *once()),
        (tf.constant(0), *outputs),
        parallel_iterations=1,
    )[1:]


def _loops(graph: tf.Graph, times: int, rounds: int) -> Iterator[Loop]:
    """The products that run: the gradient of a convolution's images is traced, needed or not."""
    needed = {tensor.op for tensor in graph.outputs} | set(graph.control_outputs)
    waiting = list(needed)
    while waiting:
        operation = waiting.pop()
        before = {tensor.op for tensor in operation.inputs} | set(operation.control_inputs)
        waiting.extend(before - needed)
        needed |= before
    running = [operation for operation in graph.get_operations() if operation in needed]
    yield Loop(times, [operation for operation in running if operation.type in OPERATIONS])
    for operation in running:
        if operation.type in _CALLS:
            called = graph._get_function(operation.get_attr("f").name).graph
            yield from _loops(called, times, rounds)
        elif operation.type in _LOOPS:
            body = graph._get_function(operation.get_attr("body").name).graph
            most = tf.get_static_value(operation.inputs[1])  # as while_loop's maximum_iterations
            known = most is not None and most >= 0
            yield from _loops(body, times * (int(most) if known else rounds), rounds)


def _multiplications(operation: tf.Operation) -> int:
    """Of one run: as many as the output's entries, times what each is a sum of."""
    first, output = operation.inputs[0].shape, operation.outputs[0].shape
    if operation.type == "MatMul":
        return output.num_elements() * first[0 if operation.get_attr("transpose_a") else 1]
    if operation.type == "BatchMatMulV2":
        return output.num_elements() * first[-2 if operation.get_attr("adj_x") else -1]
    if operation.type == "Conv2D":
        return output.num_elements() * math.prod(operation.inputs[1].shape[:3])
    moved = operation.inputs[1].shape if operation.type.endswith("Input") else output
    return operation.inputs[2].shape.num_elements() * math.prod(moved[:3])


def _operand(tensor: tf.Tensor) -> tf.Tensor:
    """A random operand of the same shape; of sizes, which convolutions take too, only the place."""
    if tensor.dtype.is_integer:
        return tf.zeros(())
    if not tensor.shape.is_fully_defined():
        raise UserError(f"{tensor} has no static shape; trace with a static batch size")
    return tf.cast(tf.random.normal(tensor.shape), tensor.dtype)


def _again(operation: tf.Operation, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    if operation.type == "MatMul":
        return tf.raw_ops.MatMul(
            a=operands[0],
            b=operands[1],
            transpose_a=operation.get_attr("transpose_a"),
            transpose_b=operation.get_attr("transpose_b"),
        )
    if operation.type == "BatchMatMulV2":
        flags = {name: operation.get_attr(name) for name in ("adj_x", "adj_y")}
        return tf.raw_ops.BatchMatMulV2(x=operands[0], y=operands[1], **flags)
    shared = {name: operation.get_attr(name) for name in ("strides", "dilations")}
    shared["padding"] = operation.get_attr("padding").decode()
    if operation.type == "Conv2D":
        return tf.raw_ops.Conv2D(input=operands[0], filter=operands[1], **shared)
    sizes = operation.outputs[0].shape.as_list()
    if operation.type == "Conv2DBackpropInput":
        return tf.raw_ops.Conv2DBackpropInput(
            input_sizes=sizes, filter=operands[1], out_backprop=operands[2], **shared
        )
    return tf.raw_ops.Conv2DBackpropFilter(
        input=operands[0], filter_sizes=sizes, out_backprop=operands[2], **shared
    )
