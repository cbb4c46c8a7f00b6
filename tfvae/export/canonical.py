"""One way to write a SavedModel: equal models give equal bytes, whatever the process did before.

TensorFlow numbers every function of a process in its name, and every custom gradient; it keeps the
functions of a graph in hash tables, writes maps in any order, and marks each export with a random
UUID. Here functions are numbered in the order in which they are called, and all is written in one
order.
"""

import itertools
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from google.protobuf.message import Message
from tensorflow.core.protobuf import saved_model_pb2

_GRAPH = "saved_model.pb"
# Hashes of the files beside it, and the UUID. No loader needs it, and the manifest has hashes too.
_FINGERPRINT = "fingerprint.pb"
_NUMBER = re.compile(r"_[0-9]+$")
# What a gradient is registered as.
_GRADIENT = re.compile(r"((?:Stateful)?PartitionedCall|CustomGradient)-[0-9]+")
_UNUSED_INPUT = re.compile(r"_([0-9]+)(?=___redundant_placeholder)")  # of a loop, by its function
_SPECIFIED_NAME = "_user_specified_name"


def canonicalise(folder: Path) -> None:
    """Writes the graph of a SavedModel anew, in its one form."""
    path = folder / _GRAPH
    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for graph in model.meta_graphs:
        _order_functions(graph)
        _rename_gradients(graph)
        _unname_captured(graph)
    path.write_bytes(model.SerializeToString(deterministic=True))
    (folder / _FINGERPRINT).unlink(missing_ok=True)


def _order_functions(graph: Any) -> None:
    """Numbers and sorts the functions in the order in which they are called."""
    library = graph.graph_def.library
    functions = {function.signature.name: function for function in library.function}
    gradients = {g.registered_op_type: g.gradient_func for g in library.registered_gradients}
    order: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in functions and name not in order:
            order[name] = None
            follow(functions[name].node_def)

    def follow(nodes: Iterable[Any]) -> None:
        for node in nodes:
            for text in _texts(node):
                visit(gradients.get(text, text))

    follow(graph.graph_def.node)
    for name in sorted(functions, key=lambda name: _NUMBER.sub("", name)):  # what nobody calls
        visit(name)
    names = {old: f"{_NUMBER.sub('', old)}_{number}" for number, old in enumerate(order)}
    numbers = {
        match[0]: f"_{number}" for number, old in enumerate(order) if (match := _NUMBER.search(old))
    }
    _sort(library.function, list(order), lambda function: function.signature.name)
    _sort(library.registered_gradients, list(order), lambda gradient: gradient.gradient_func)
    _replace(
        graph,
        lambda text: _UNUSED_INPUT.sub(lambda m: numbers.get(m[0], m[0]), names.get(text, text)),
    )


def _unname_captured(graph: Any) -> None:
    """Removes the names of captured inputs, which are numbers that count the process's tensors."""
    for function in graph.graph_def.library.function:
        for holder in (*function.node_def, *function.arg_attr.values()):
            if holder.attr[_SPECIFIED_NAME].s.isdigit() or not holder.attr[_SPECIFIED_NAME].s:
                del holder.attr[_SPECIFIED_NAME]


def _sort(messages: Any, order: list[str], name: Callable[[Any], str]) -> None:
    """Sorts repeated messages in place, which those of protobuf can't by themselves."""
    ordered = sorted(messages, key=lambda message: order.index(name(message)))
    contents = [(type(message), message.SerializeToString()) for message in ordered]
    del messages[:]
    messages.extend(kind.FromString(content) for kind, content in contents)


def _rename_gradients(graph: Any) -> None:
    """Numbers what custom gradients are registered as in the order in which it is met."""
    found: dict[str, str] = {}
    numbers = itertools.count()

    def renamed(text: str) -> str:
        if (match := _GRADIENT.fullmatch(text)) and text not in found:
            found[text] = f"{match[1]}-{next(numbers)}"
        return found.get(text, text)

    _replace(graph, renamed)


def _texts(message: Message) -> list[str]:
    """All strings in a message, in one order."""
    seen: list[str] = []

    def look(text: str) -> str:
        seen.append(text)
        return text

    _replace(message, look)
    return seen


def _replace(message: Message, change: Callable[[str], str]) -> None:
    """Changes all strings in a message, its maps' keys included; meets them in one order."""
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE and field.message_type.GetOptions().map_entry:
            _replace_in_map(value, field.message_type.fields_by_name["value"], change)
        elif field.type == field.TYPE_MESSAGE:
            for entry in value if field.is_repeated else [value]:
                _replace(entry, change)
        elif field.type == field.TYPE_STRING:
            if field.is_repeated:
                value[:] = [change(text) for text in value]
            else:
                setattr(message, field.name, change(value))
        elif field.name == "s" and field.containing_type.name == "AttrValue":  # bytes
            changed = change(value.decode("latin-1")).encode("latin-1")
            message.s = changed


def _replace_in_map(entries: Any, kind: Any, change: Callable[[str], str]) -> None:
    for key in sorted(entries, key=str):
        renamed = change(key) if isinstance(key, str) else key
        if kind.type != kind.TYPE_MESSAGE:
            value = entries[key]
            entries[renamed] = change(value) if kind.type == kind.TYPE_STRING else value
        else:
            _replace(entries[key], change)
            if renamed != key:
                entries[renamed].CopyFrom(entries[key])
        if renamed != key:
            del entries[key]
