"""Sphinx's configuration: `sphinx-build -W --keep-going -b html docs docs/_build` builds the pages."""

import jaxnets

project = "jaxnets"
author = "the authors of jaxnets"
version = release = jaxnets.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_build", "jupyter_execute"]
html_theme = "furo"
html_title = f"jaxnets {version}"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_copy_source = False
html_show_copyright = False
highlight_language = "none"  # of blocks without a language; those of the pages name theirs
maximum_signature_line_length = 88
default_role = "code"  # the docstrings write `name` for code

# the notebook is run when the pages are built, and must not fail
nb_execution_mode = "force"
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_merge_streams = True

myst_enable_extensions = ["attrs_block"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
