"""Settings of Sphinx."""

import re
import sys
from importlib.metadata import version as installed_version
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

import aioartifact.query

sys.path.insert(0, str(Path(__file__).parent))
from command_options import CommandOptions

project = "aioartifact"
author = "aioartifact contributors"
copyright = f"2026, {author}"
release = version = installed_version(project)

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton", "sphinx_design"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
copybutton_prompt_text = "$ "
copybutton_exclude = ".linenos, .gp, .go"
nitpicky = True
# The names of other projects that have no page in `link_to_other_projects`.
nitpick_ignore_regex = [
    ("py:.*", r"(aiohttp|collections|contextlib|datetime|opentelemetry|os|pathlib|re|rich|ssl|typing|types|yarl)\..*"),
    # Type variables.
    ("py:class", r"aioartifact\..*\.T"),
]
# What ArtifactoryPath, which has a page, derives from: the signatures name it, as Sphinx resolves `URLLike`.
nitpick_ignore = [
    ("py:class", "aioartifact._address.Locator"),
    # Files as fsspec has them.
    ("py:class", "aioartifact.fsspec.reading.StreamedFile"),
    ("py:class", "aioartifact.fsspec.writing.AsyncWriteFile"),
]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
python_maximum_signature_line_length = 80

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_title = f"aioartifact {release}"

# A name that was looked up says that it is public; Sphinx takes names out of the modules without asking for them.
for name in aioartifact.__all__:
    getattr(aioartifact, name)

_PAGES = {
    "aiohttp": "https://docs.aiohttp.org/en/stable/client_reference.html",
    "yarl": "https://yarl.aio-libs.org/en/latest/api.html",
}
_BUILT_IN = re.compile(r"(?:str|bytes|int|float|bool|list|tuple|dict|set|range|frozenset|memoryview)$")


def link_to_package(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Element
) -> nodes.reference | None:
    """Resolve a public name that the docstring of a submodule, such as `aioartifact.blocking`, leaves unqualified."""
    name = str(node.get("reftarget", ""))
    if node.get("refdomain") != "py" or name.split(".")[0] not in aioartifact.__all__:
        return None
    target = f"{aioartifact.__name__}.{name}"
    return env.domains.python_domain.resolve_xref(
        env, node["refdoc"], app.builder, node["reftype"], target, node, content
    )


def link_to_other_projects(
    app: Sphinx, env: object, node: pending_xref, content: nodes.Element
) -> nodes.reference | None:
    """Link names of Python and aiohttp; unlike with intersphinx, a build needs no network."""
    name = str(node.get("reftarget", ""))
    module = name.split(".")[0]
    if node.get("refdomain") != "py":
        return None
    if "." in name and module in _PAGES:
        page = _PAGES[module]
    elif "." in name and module in sys.stdlib_module_names:
        parts = name.split(".")
        while ".".join(parts) not in sys.modules and len(parts) > 1:
            parts.pop()
        page = f"https://docs.python.org/3/library/{'.'.join(parts)}.html"
    elif _BUILT_IN.match(name):
        page = "https://docs.python.org/3/library/stdtypes.html"
    elif name in vars(__builtins__ if not isinstance(__builtins__, dict) else sys.modules["builtins"]):
        page = "https://docs.python.org/3/library/exceptions.html"
    else:
        return None
    reference = nodes.reference("", "", internal=False, refuri=f"{page}#{name}")
    reference += content
    return reference


def setup(app: Sphinx) -> None:
    app.add_directive("command-options", CommandOptions)
    app.connect("missing-reference", link_to_package)
    app.connect("missing-reference", link_to_other_projects)
