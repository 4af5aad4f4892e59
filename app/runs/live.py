"""Parts of this folder under one name, until every page imports them themselves."""

import streamlit as st  # noqa: F401

from app.runs.headline import *  # noqa: F403
from app.runs.progress import *  # noqa: F403
from app.runs.reading import *  # noqa: F403
