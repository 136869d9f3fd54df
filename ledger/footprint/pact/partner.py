"""Other hosts of PACT version 3, as we ask them: a token first, then footprints or an event.

Whatever comes is bounded in size, time and number of pages. The token goes to the host that it is
for alone: a pagination link that leads elsewhere is not followed.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode, urljoin, urlsplit

from ledger.errors import Corrupt, InvalidInput, NotFound, Refused, Unavailable
from ledger.footprint.pact.clients import Endpoint, check_url
from ledger.footprint.pact.events import MEDIA
from ledger.footprint.pact.reading import DOCUMENT_BYTES_MAX, read_json
from ledger.remote import Answer, Asked, ask

PAGES_MAX: Final = 200
FOOTPRINTS_MAX: Final = 10_000
_PAGE_BYTES_MAX: Final = 16 * 1024 * 1024
_TOKEN_BYTES_MAX: Final = 65_536
_WITHIN_S: Final = 30.0
_LINK: Final = re.compile(
    r'<([^<>]*)>((?:\s*;\s*[\w*!#$&+.^`|~-]+\s*(?:=\s*(?:"[^"]*"|[^",;\s]*))?)*)'
)
_NEXT: Final = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^",;\s]*))', re.IGNORECASE)


@dataclass(slots=True)
class Partner:
    """One host, and the token that it gave us."""

    at: Endpoint
    _token: str = field(default="", repr=False)

    def _ask(
        self, verb: str, url: str, bytes_max: int, content: bytes | None = None, media: str = ""
    ) -> Answer:
        if not self._token:
            self._token = self._sign_in()
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        if media:
            headers["Content-Type"] = media
        asked = Asked(verb=verb, url=url, called=_host(url), headers=headers, content=content)
        return ask(asked, bytes_max, within_s=_WITHIN_S)

    def _sign_in(self) -> str:
        """Raises Refused where it does not let us in, Unavailable where it gives no token."""
        at = self.at
        # RFC 6749, 2.3.1: form-encoded first.
        pair = f"{quote(at.client_id, safe='')}:{quote(at.secret, safe='')}".encode()
        url = self._token_endpoint()
        headers = {
            "Authorization": f"Basic {base64.b64encode(pair).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        content = b"grant_type=client_credentials"
        asked = Asked(verb="POST", url=url, called=_host(url), headers=headers, content=content)
        answer = ask(asked, _TOKEN_BYTES_MAX, within_s=_WITHIN_S)
        if answer.status in (400, 401, 403):
            raise Refused(f"{_host(url)} does not know client {at.client_id!r} with this secret")
        found = _object(answer, _TOKEN_BYTES_MAX, url)
        token = found.get("access_token")
        bearer = str(found.get("token_type", "bearer")).lower() == "bearer"
        if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]+", token) or not bearer:
            raise Unavailable(f"{_host(url)} gives no bearer token (RFC 6749)")
        return token

    def _token_endpoint(self) -> str:
        """What the host's OpenID configuration names, else /auth/token."""
        url = f"{self.at.auth or self.at.url}/.well-known/openid-configuration"
        headers = {"Accept": "application/json"}
        asked = Asked(verb="GET", url=url, called=_host(url), headers=headers)
        answer = ask(asked, _TOKEN_BYTES_MAX, within_s=_WITHIN_S)
        if answer.status != 200:
            return f"{self.at.auth or self.at.url}/auth/token"
        named = _object(answer, _TOKEN_BYTES_MAX, url).get("token_endpoint")
        if not isinstance(named, str):
            raise Unavailable(f"{_host(url)} has an OpenID configuration without token_endpoint")
        return token_url(url, named)

    def footprints(self, criteria: Sequence[tuple[str, str]] = ()) -> Iterator[dict[str, Any]]:
        """All that match, page by page. Raises Refused, Unavailable, Corrupt or InvalidInput."""
        url: str | None = f"{self.at.url}/3/footprints"
        if criteria:
            url = f"{url}?{urlencode(criteria)}"
        seen, count = set[str](), 0
        while url is not None:
            if url in seen or len(seen) == PAGES_MAX:
                raise Corrupt(f"{_host(url)} has pages without end: ask for less")
            seen.add(url)
            answer = self._ask("GET", url, _PAGE_BYTES_MAX)
            page = _object(answer, _PAGE_BYTES_MAX, url).get("data")
            if not isinstance(page, list) or not all(isinstance(one, dict) for one in page):
                raise Corrupt(f"{_host(url)} answers without `data`, a list of footprints")
            count += len(page)
            if count > FOOTPRINTS_MAX:
                raise Corrupt(f"{_host(url)} has more than {FOOTPRINTS_MAX:,}: ask for less")
            yield from page
            url = next_of(answer.links, url)

    def footprint(self, id_: str) -> dict[str, Any]:
        """One, by its id. Raises NotFound too."""
        url = f"{self.at.url}/3/footprints/{quote(id_, safe='')}"
        answer = self._ask("GET", url, DOCUMENT_BYTES_MAX)
        if answer.status == 404:
            raise NotFound(f"{_host(url)} has no footprint {id_}")
        found = _object(answer, DOCUMENT_BYTES_MAX, url).get("data")
        if not isinstance(found, dict):
            raise Corrupt(f"{_host(url)} answers without `data`, a footprint")
        return found

    def send(self, event: bytes) -> None:
        """Raises Refused where the host does not take it, Unavailable where it may later."""
        url = f"{self.at.url}/3/events"
        answer = self._ask("POST", url, _TOKEN_BYTES_MAX, event, f"{MEDIA}; charset=UTF-8")
        if 200 <= answer.status < 300:
            return
        self._token = ""
        raise Unavailable(f"{_host(url)} answered with status {answer.status}")


def token_url(url: str, named: str) -> str:
    """The token_endpoint that the configuration at `url` names. Raises InvalidInput, or Unavailable
    for one without https at a host with it: else a partner could lead us, and its secret, to
    services of this very machine."""
    if urlsplit(url).scheme == "https" and urlsplit(named).scheme != "https":
        raise Unavailable(f"{_host(url)} names a token_endpoint without https")
    return check_url(named, "token_endpoint")


def next_of(links: str, url: str) -> str | None:
    """The page after this one (RFC 8288). Raises Corrupt where it is at another host."""
    for target, parameters in _LINK.findall(links):
        rels = [quoted or bare for quoted, bare in _NEXT.findall(parameters)]
        if rels and "next" in rels[0].lower().split():
            found = str(urljoin(url, target))
            here, there = urlsplit(url), urlsplit(found)
            if (here.scheme, here.netloc) != (there.scheme, there.netloc):
                raise Corrupt(f"{_host(url)} leads to another host, which gets no token of ours")
            return found
    return None


def _object(answer: Answer, bytes_max: int, url: str) -> dict[str, Any]:
    if answer.status in (401, 403):
        raise Refused(f"{_host(url)} does not let us see that (status {answer.status})")
    if answer.status not in (200, 202):
        raise Unavailable(f"{_host(url)} answered with status {answer.status}")
    try:
        found = read_json(answer.body, bytes_max)
    except InvalidInput as error:
        raise Corrupt(f"{_host(url)}: {error}") from error
    if not isinstance(found, dict):
        raise Corrupt(f"{_host(url)} answers with no JSON object")
    return found


def _host(url: str) -> str:
    return str(urlsplit(url).hostname)
