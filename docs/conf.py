"""The reference web site: ``sphinx-build -W --keep-going -n docs docs/_build/html``, without network."""

import os
import sys
import tempfile
from importlib.metadata import version as installed_version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "Swath"
author = "the Swath maintainers"
copyright = "2026, the Swath maintainers, Apache License 2.0"
release = version = installed_version("swath")
language = "en"
smartquotes_action = "qe"  # quotes and ellipses; two hyphens stay as they are: they begin options

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    "swath_charts",
    "swath_commands",
    "swath_layers",
    "swath_mathml",
    "swath_processors",
    "swath_python",
    "swath_tables",
]
exclude_patterns = ["_build", "_extensions", "decisions/template.md"]

# The user forum is another service of an installation: its address belongs to that installation.
forum_url = os.environ.get("SWATH_FORUM_URL", "")
if forum_url:
    forum_text = f"The forum is at <{forum_url}>."
else:
    forum_text = (
        "This copy of the site was built without the address of a forum. Whoever publishes it sets the "
        "environment variable `SWATH_FORUM_URL` for the build; the address then stands here and in each "
        "page's header."
    )

# Markdown
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "fieldlist", "smartquotes", "substitution"]
myst_heading_anchors = 3

# Notebooks are kept without outputs, and run while the site is built: what they show is what they give today.
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_timeout = 300
nb_execution_raise_on_error = True

# Kernels have a profile of their own: nobody's settings change what a page shows, and the warning that a
# kernel talks over loopback without encryption is none of the site.
ipython = tempfile.TemporaryDirectory()
profile = Path(ipython.name, "profile_default")
profile.mkdir()
(profile / "ipython_kernel_config.py").write_text("c.IPKernelApp.log_level = 40\n")
os.environ["IPYTHONDIR"] = ipython.name

myst_substitutions = {"forum": forum_text, "version": version}
html_math_renderer = "mathml"

# The Python interface
default_role = "py:obj"  # `name` in a docstring is a link if the name is ours
autosummary_generate = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
add_module_names = False
# Nothing is fetched, so names of other projects cannot be resolved; our own must be, except private ones.
# What stands in single quotes may be any word of the docstring's function, a parameter for one.
nitpick_ignore_regex = [
    ("py:obj", ".*"),
    ("py:.*", r"(?!swath).*"),
    ("py:.*", r"swath[\w.]*\._.*"),
]

# What a reader copies out of an example: the commands, without prompts and output.
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp, .go"

# Looks
html_theme = "pydata_sphinx_theme"
html_title = "Swath"
html_static_path = ["_static"]
html_css_files = ["swath.css"]
html_favicon = "_static/favicon.svg"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {
        "image_light": "_static/logo.svg",
        "image_dark": "_static/logo.svg",
        "alt_text": "",
        "text": "Swath",
    },
    "external_links": [{"name": "Forum", "url": forum_url}] if forum_url else [],
    "header_links_before_dropdown": 7,
    "navbar_align": "left",
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "back_to_top_button": True,
}
html_sidebars = {
    "index": [],
    "forum": [],
    "changelog": [],
}
