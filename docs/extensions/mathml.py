"""Equations as MathML, which browsers draw themselves: a page read without a network shows them."""

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util import logging

_LOGGER = logging.getLogger(__name__)
_BLOCK = "margin: 1em 0; overflow: auto hidden"


def _visit(writer: Any, node: nodes.Element) -> None:
    block = isinstance(node, nodes.math_block)
    mathml = convert(node.astext(), display="block" if block else "inline")
    if "\\" in mathml:  # an unknown command is left as it was
        _LOGGER.warning("this equation has no MathML: %s", node.astext(), location=node)
    # Rows of an aligned equation would be set small, like those of a matrix within a line.
    mathml = mathml.replace("<mtable", '<mtable displaystyle="true"') if block else mathml
    writer.body.append(f'<div style="{_BLOCK}">{mathml}</div>' if block else mathml)
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, bool]:
    """Registers the renderer, whose name `html_math_renderer` gives."""
    app.add_html_math_renderer(
        "mathml", inline_renderers=(_visit, None), block_renderers=(_visit, None)
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
