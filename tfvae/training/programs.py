"""Compiled functions of a model, kept as long as the model lives."""

import functools
import weakref
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfvae.training.xla import xla_pays

_PROGRAMS: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()


def compiled(
    model: Any, function: Callable[..., Any], xla: bool | None = None, any_rows: bool = False
) -> Callable[..., Any]:
    """Returns `function(model, ...)`, compiled once for each model, function and way.

    Args:
        model: A built model.
        function: A function of a module, `(model, *tensors, *numbers) -> tensors`. A different
            number or shape compiles anew.
        xla: Whether through XLA, which fuses the densities with their sums and needs a program for
            each shape. None (default): where that pays.
        any_rows: Whether the function asks for no number of rows, so that from the second number
            on one program takes them all.
    """
    programs = _PROGRAMS.setdefault(model, {})
    key = function, xla, any_rows
    if key not in programs:
        # A program that held the model would keep it alive as the dictionary's key. A partial:
        # TensorFlow takes functions of one code for one, and warns that it is traced too often.
        programs[key] = tf.function(
            functools.partial(_call, function, weakref.ref(model)),
            autograph=False,
            reduce_retracing=any_rows,
            jit_compile=xla_pays(model) if xla is None else xla,
        )
    return programs[key]


def _call(function: Callable[..., Any], model: weakref.ref, *arguments: Any) -> Any:
    return function(model(), *arguments)
