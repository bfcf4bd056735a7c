"""How Sphinx reads the site's source folder, which ``python -m docs`` puts together."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import mpas_lite
from docs.make.pages import names_of_rooms

project = "mpas_lite"
author = "The mpas_lite authors"
copyright = "The mpas_lite authors, MIT licence"
version = release = mpas_lite.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "docs.make.mathml"]
root_doc = "index"
exclude_patterns = ["conf.py"]
default_role = "py:obj"
smartquotes_action = "D"  # dashes; quotes stay as in the messages that people look for
nitpick_ignore_regex = [("py:(class|meth|func|data|exc|attr)", r"(?!mpas_lite\.).*")]  # of other libraries
linkcheck_ignore = [r"https://github\.com/mpas-lite/.*", r"https://colab\.research\.google\.com/.*"]

# Notebooks are shown as they were executed.
nb_execution_mode = "off"
nb_ipywidgets_js: dict[str, Any] = {}
nb_merge_streams = True
nb_code_prompt_show = "Show the solution"  # no other cell is folded
nb_code_prompt_hide = "Hide the solution"
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
myst_update_mathjax = False
html_math_renderer = "mathml"

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = True
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Attributes", "params_style")]

html_theme = "furo"
html_title = "mpas_lite"
html_static_path = ["_static"]
html_favicon = "_static/icon.svg"
html_css_files = ["site.css"]
html_js_files = [("explorer.js", {"defer": "defer"})]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": False}


def setup(app: Any) -> None:
    """Let names in docstrings find what they mean."""
    known = names_of_rooms()

    def resolve(app: Any, env: Any, node: Any, content: Any) -> Any:
        """A name that is no entry of its own: link to what it is the same as, or leave it as code."""
        target = node.get("reftarget", "")
        if node.get("refdomain") != "py":
            return None
        thing = _find(target, node.get("py:module") or "mpas_lite")
        if thing is not None and id(thing) in known:
            name = known[id(thing)]
            domain = env.get_domain("py")
            return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", name, node, content)
        exists = thing is not None or not target.startswith("mpas_lite.")
        return content if exists else None

    app.connect("missing-reference", resolve)


def _find(target: str, module: str) -> Any:
    """What a dotted name means, within the package or a module of it; None where it means nothing."""
    for name in (target, f"{module}.{target}", f"mpas_lite.{target}"):
        if not name.startswith("mpas_lite"):
            continue
        try:
            return pkgutil.resolve_name(name)
        except (ImportError, AttributeError, ValueError):
            continue
    try:
        return importlib.import_module(target) if target.startswith("mpas_lite.") else None
    except ImportError:
        return None
