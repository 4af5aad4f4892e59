"""The parts of this folder under one name, until every page imports them themselves."""

from app.address.connection import *  # noqa: F403
from app.address.links import *  # noqa: F403
from app.address.notices import *  # noqa: F403
from app.address.page import *  # noqa: F403
