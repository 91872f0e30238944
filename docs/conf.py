"""Settings of Sphinx."""

from importlib.metadata import version as installed_version

import aioartifact.query

project = "aioartifact"
author = "aioartifact contributors"
copyright = f"2026, {author}"
release = version = installed_version(project)

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
nitpicky = True
# Other projects' pages are not at hand when this is built, so their names cannot be links.
nitpick_ignore_regex = [
    ("py:.*", r"(aiohttp|collections|contextlib|datetime|os|pathlib|re|rich|ssl|typing|types|yarl)\..*")
]
# What ArtifactoryPath, which has a page, derives from: the signatures name it, as Sphinx resolves `URLLike`.
nitpick_ignore = [("py:class", "aioartifact._address.Locator")]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
python_maximum_signature_line_length = 80

html_theme = "furo"
html_title = f"aioartifact {release}"

# A name that was looked up says that it is public; Sphinx takes names out of the modules without asking for them.
for name in aioartifact.__all__:
    getattr(aioartifact, name)
