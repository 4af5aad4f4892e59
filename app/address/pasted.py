"""An address of a page of this app that somebody typed or pasted, read before anybody is sent there."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

from app.address import links
from app.words import _
from engine.errors import FeintError

LOOPBACK = ("localhost", "127.0.0.1", "::1")
LONGEST = 8000
"""Characters of an address, at most."""
OF_ONE_PERSON = ("v", "lang", "answers")
"""Parameters that go with nobody else."""


class AddressError(FeintError):
    """An address that leads to no page of this app; the message says what to do."""


def read(text: str, own: str = "") -> tuple[str, dict[str, str]]:
    """Page and parameters of an address, whole or without its host; `own` is one of this app's. Raises
    AddressError where it leads to another host, to no page, or says what no page knows.
    """
    text = text.strip()
    try:
        parts, here = urlsplit(text), urlsplit(own)
        known = (parts.hostname, parts.port) in {(host, here.port) for host in (here.hostname, *LOOPBACK)}
        said = dict(parse_qsl(parts.query, max_num_fields=links.MOST))
    except ValueError:
        known, parts, said = False, urlsplit("//"), {}
    whole = parts.scheme in ("http", "https") and known
    page = parts.path.strip("/") or ("home" if whole or parts.path else "")
    if not (whole or parts[:2] == ("", "")) or page not in links.pages() or len(text) > LONGEST:
        told = _("{address} is no page of this Feint: take an address from the button Copy link of one.")
        raise AddressError(told.format(address=text[:60] or "–"))
    for name in said:
        if name not in (*links.PARAMETERS, *OF_ONE_PERSON):
            told = _("The address says {name}=…, which no page knows: take one from the button Copy link.")
            raise AddressError(told.format(name=name[:40]))
    return page, {name: value for name, value in said.items() if name not in OF_ONE_PERSON}


def text_of(page: str, parameters: Mapping[str, str]) -> str:
    """The same as text, without a host."""
    return f"{page}?{urlencode(parameters)}"
