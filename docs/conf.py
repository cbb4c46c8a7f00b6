"""How Sphinx builds this folder: `sphinx-build -W --keep-going -n docs build/docs`."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs" / "extensions")]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tfvae  # noqa: E402

project = "tfvae"
author = copyright = "the tfvae authors"
version = release = tfvae.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "mathml",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "docstring_format",
    "family_pages",
    "notebook_pages",
]
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # tests/test_notebooks.py runs them; the stored outputs are shown

html_theme = "furo"
html_title = f"tfvae {release}"
# A line of 100 characters, which is what the linter allows, fits into the page.
html_theme_options = {"light_css_variables": {"code-font-size": "76%"}}
html_static_path = []
html_copy_source = False
html_math_renderer = "mathml"
copybutton_exclude = ".linenos, .gp, .go"
pygments_style = "friendly"

# Docstrings say `name`, as Markdown does, and have their own types in the signatures.
default_role = "code"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_param = False  # else "encoder, decoder:" is read as a name with a type
napoleon_custom_sections = [("Attributes", "params_style")]
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

# What is not ours has no page here; what is ours and unknown is an error.
nitpick_ignore_regex = [("py:.*", r"(?!tfvae\b).*"), ("py:.*", r"tfvae\..*\._\w+")]
