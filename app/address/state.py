"""The parts of this folder under one name, until every page imports them themselves."""

from typing import TYPE_CHECKING, Any

from app.address import connection, layout, links, notices

if TYPE_CHECKING:
    from app.address.connection import *  # noqa: F403
    from app.address.layout import *  # noqa: F403
    from app.address.links import *  # noqa: F403
    from app.address.notices import *  # noqa: F403
else:

    def __getattr__(name: str) -> Any:
        for part in (connection, layout, links, notices):
            if hasattr(part, name):
                return getattr(part, name)
        raise AttributeError(name)
