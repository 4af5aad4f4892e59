"""`python -m app.serving app/main.py …`: Streamlit's server, which loads what the first page needs before it
answers, so that nobody waits for that in a browser: modules, and the list of what there is to choose, which
is made where this version of Feint has none yet.

Streamlit collects garbage after every run of a page and of a part of one; what was loaded here stays, and is
not gone through each time.
"""

import gc
import sys

import pandas  # noqa: F401
import plotly.graph_objects  # noqa: F401
from streamlit.web import cli

import engine.asking.keeping
import engine.data.fetching
import engine.pool.client  # noqa: F401
from engine.errors import EngineUnavailable
from engine.store import catalogue

if __name__ == "__main__":
    try:
        catalogue.read()
    except EngineUnavailable as error:
        sys.exit(str(error))
    gc.freeze()
    cli.main(["run", *sys.argv[1:]], prog_name="streamlit")
