"""The matrix products and convolutions of a function, run alone."""

from collections.abc import Callable, Iterator, Sequence

import tensorflow as tf

from tfvae.errors import UserError

OPERATIONS = (
    "MatMul",
    "BatchMatMulV2",
    "Conv2D",
    "Conv2DBackpropInput",
    "Conv2DBackpropFilter",
)


class Products:
    """Runs what a function multiplies, and nothing else of it.

    The operations are those of the traced graph, each on operands of its shape, by TensorFlow's own
    kernels and without XLA: products that do not depend on each other may run at the same time, but
    no two repetitions do.

    Args:
        function: What is traced, such as a training step.
        *specs: Its arguments, with static shapes.
    """

    def __init__(self, function: Callable, *specs: tf.TensorSpec):
        graph = tf.function(function).get_concrete_function(*specs).graph
        self.operations = list(_products(graph))
        self._operands = [
            [_operand(tensor) for tensor in operation.inputs] for operation in self.operations
        ]
        self._run = tf.function(self._repeat, autograph=False)

    def __call__(self, repetitions: int) -> None:
        """Runs all products so often, and waits for them."""
        self._run(tf.constant(repetitions), self._operands)[-1].numpy()

    def _repeat(self, repetitions: tf.Tensor, operands: Sequence) -> list[tf.Tensor]:
        def body(i: tf.Tensor, *_: tf.Tensor) -> tuple[tf.Tensor, ...]:
            return (i + 1, *(_again(o, x) for o, x in zip(self.operations, operands, strict=True)))

        outputs = [tf.zeros(o.outputs[0].shape, o.outputs[0].dtype) for o in self.operations]
        loop = tf.while_loop(
            lambda i, *_: i < repetitions, body, (tf.constant(0), *outputs), parallel_iterations=1
        )
        return [tf.reshape(output, [-1])[0] for output in loop[1:]]


def _products(graph: tf.Graph) -> Iterator[tf.Operation]:
    """The products that run: the gradient of a convolution's images is traced, needed or not."""
    needed = {tensor.op for tensor in graph.outputs} | set(graph.control_outputs)
    waiting = list(needed)
    while waiting:
        operation = waiting.pop()
        before = {tensor.op for tensor in operation.inputs} | set(operation.control_inputs)
        waiting.extend(before - needed)
        needed |= before
    for operation in graph.get_operations():
        if operation not in needed:
            continue
        if operation.type in OPERATIONS:
            yield operation
        elif operation.type in ("PartitionedCall", "StatefulPartitionedCall"):
            function = graph._get_function(operation.get_attr("f").name)
            yield from _products(function.graph)


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
