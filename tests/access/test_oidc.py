"""Signing in at an OpenID provider that runs beside the test, and at one that is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from ledger.access import oidc, service
from ledger.access.oidc import Answer, Begun
from ledger.access.roles import Role
from ledger.access.service import MACHINE
from ledger.db import reading, writing
from ledger.errors import LedgerError, NotSignedIn, Refused, Unavailable
from ledger.settings import Settings
from tests.access import provider as providers
from tests.access.door import HERE, SEAL_KEY, Door
from tests.ledgers import NOW_S

REDIRECT = "https://ledger.example/api/v1/oidc/finish"


@pytest.fixture(scope="module")
def running() -> Iterator[providers.Provider]:
    with providers.running() as provider:
        yield provider


@pytest.fixture
def provider(running: providers.Provider) -> Iterator[providers.Provider]:
    """As it conforms; what a test breaks is whole again afterwards."""
    yield running
    fresh = providers.Provider(issuer=running.issuer)
    vars(running).update(vars(fresh))


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with oidc.make_client() as client:
        yield client


class Park:
    """The service as the provider's client, and a browser in front of it."""

    def __init__(self, door: Door, http: httpx.Client, provider: providers.Provider) -> None:
        self.door, self.http, self.provider = door, http, provider
        self.client = oidc.Provider(
            issuer=provider.issuer,
            client_id=providers.CLIENT,
            client_secret=SecretStr(providers.SECRET),
            redirect_uri=REDIRECT,
        )
        self.lin = door.account("lin", ("mill", Role.VIEWER), password="")
        with writing(door.engine) as conn:
            service.link_identity(conn, door.now_s, MACHINE, self.lin, provider.issuer, "lin-7")

    def begin(self) -> Begun:
        return oidc.begin(self.door.engine, self.http, self.client, SEAL_KEY, self.door.now_s)

    def browse(self, begun: Begun) -> Answer:
        """What the browser brings back from the provider."""
        sent = self.http.get(begun.url)
        assert sent.status_code == 302
        url = sent.headers["location"]
        assert url.startswith(f"{REDIRECT}?")
        query = {name: found[0] for name, found in parse_qs(urlsplit(url).query).items()}
        return Answer(
            cookie=begun.state, state=query["state"], code=query["code"], issuer=query["iss"]
        )

    def finish(self, answer: Answer) -> str:
        return oidc.finish(
            self.door.engine, self.http, self.client, SEAL_KEY, self.door.now_s, HERE, answer
        )

    def login(self) -> str:
        return self.finish(self.browse(self.begin()))


@pytest.fixture
def park(door: Door, http: httpx.Client, provider: providers.Provider) -> Park:
    return Park(door, http, provider)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256"])
def test_an_identity_signs_in_as_its_account(algorithm: str, park: Park) -> None:
    park.provider.algorithm = algorithm
    who = park.door.caller(park.login())
    assert (who.account, who.name, who.via) == (park.lin, "lin", "session")
    with reading(park.door.engine) as conn:
        last = service.list_events(conn, None, limit=1)[0]
    assert (last.kind, last.account, last.actor.address) == ("login.oidc", park.lin, HERE)


def test_nothing_of_a_login_under_way_is_stored_in_clear(park: Park) -> None:
    answer = park.browse(park.begin())
    (asked,) = park.provider.codes.values()
    database = park.door.engine.url.database
    assert database is not None

    def stored() -> bytes:
        with open(database, "rb") as main, open(f"{database}-wal", "rb") as wal:  # noqa: PTH123
            return main.read() + wal.read()

    before = stored()
    token = park.finish(answer)
    (verifier,) = park.provider.asked
    for word in (verifier, asked["nonce"], answer.state, answer.code, token, "an access token"):
        assert word.encode() not in before + stored()


BROKEN: list[tuple[str, Callable[[providers.Provider], Any], str]] = [
    ("wrong nonce", lambda it: it.claims.update(nonce="another"), "nonce"),
    ("no nonce", lambda it: it.claims.update(nonce=None), "nonce"),
    ("wrong audience", lambda it: it.claims.update(aud="another client"), "aud"),
    ("no audience", lambda it: it.claims.update(aud=None), "aud"),
    (
        "many audiences",
        lambda it: it.claims.update(aud=[providers.CLIENT, "another client"]),
        "another client",
    ),
    ("made for another", lambda it: it.claims.update(azp="another client"), "another client"),
    ("other issuer", lambda it: it.claims.update(iss="https://other.example"), "iss"),
    ("expired", lambda it: it.claims.update(exp=NOW_S - 61), "expired"),
    ("no end", lambda it: it.claims.update(exp=None), "exp"),
    ("from the future", lambda it: it.claims.update(iat=NOW_S + 61), "future"),
    ("no subject", lambda it: it.claims.update(sub=None), "sub"),
    ("a number", lambda it: it.claims.update(sub=7), "sub"),
    ("empty", lambda it: it.claims.update(sub=""), "sub"),
    ("none", lambda it: setattr(it, "breaks", "alg none"), "none|[Aa]lgorithm"),
    ("hs256", lambda it: setattr(it, "breaks", "hs256 with the client's secret"), "HS256|[Aa]lg"),
    ("hs256 key", lambda it: setattr(it, "breaks", "hs256 with the public key"), "HS256|[Aa]lg"),
    ("es384", lambda it: setattr(it, "breaks", "another key"), "signature"),
    ("changed", lambda it: setattr(it, "breaks", "changed"), "signature"),
    ("no id token", lambda it: setattr(it, "breaks", "no id token"), "no ID token"),
    ("no json", lambda it: setattr(it, "breaks", "no json"), "no token"),
]


@pytest.mark.parametrize(("spoil", "why"), [one[1:] for one in BROKEN], ids=[b[0] for b in BROKEN])
def test_a_broken_answer_lets_nobody_in(
    spoil: Callable[[providers.Provider], Any], why: str, park: Park
) -> None:
    answer = park.browse(park.begin())
    spoil(park.provider)
    with pytest.raises(NotSignedIn, match=f"(?i){why}") as said:
        park.finish(answer)
    for secret in (providers.SECRET, answer.code, answer.state, "an access token", "eyJ"):
        assert secret not in str(said.value)
    with reading(park.door.engine) as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM sessions").scalar_one() == 0


@pytest.mark.parametrize(("claim", "value"), [("exp", NOW_S - 59), ("iat", NOW_S + 60)])
def test_clocks_may_differ_by_a_minute(claim: str, value: int, park: Park) -> None:
    park.provider.claims[claim] = value
    assert park.login()


def test_several_audiences_with_us_as_the_authorized_one(park: Park) -> None:
    park.provider.claims.update(aud=[providers.CLIENT, "another"], azp=providers.CLIENT)
    assert park.login()


@pytest.mark.parametrize(
    "breaks", ["down", "configuration of another", "no tls", "no keys", "no endpoint"]
)
def test_a_provider_that_can_t_be_asked(breaks: str, park: Park) -> None:
    begun = park.begin()
    answer = park.browse(begun)
    park.provider.breaks = breaks
    with pytest.raises(Unavailable, match=r"provider|issuer"):
        park.finish(answer) if breaks != "no endpoint" else park.begin()


def test_an_answer_counts_once(park: Park) -> None:
    answer = park.browse(park.begin())
    assert park.finish(answer)
    with pytest.raises(NotSignedIn, match="finished already"):
        park.finish(answer)


def test_a_code_counts_once(park: Park) -> None:
    """A replayed code under a fresh state: the provider refuses it, and its verifier is another."""
    first = park.browse(park.begin())
    assert park.finish(first)
    second = park.begin()
    replayed = replace(first, cookie=second.state, state=second.state)
    with pytest.raises(NotSignedIn, match="no token for this code"):
        park.finish(replayed)


def test_a_code_of_another_login_does_not_fit(park: Park) -> None:
    """Injected before it was used: PKCE is what refuses it."""
    stolen, mine = park.browse(park.begin()), park.browse(park.begin())
    with pytest.raises(NotSignedIn, match="no token for this code"):
        park.finish(replace(mine, code=stolen.code))


@pytest.mark.parametrize("state", ["", "another", "é", "\ud800"])
def test_a_state_that_is_not_the_browser_s(state: str, park: Park) -> None:
    answer = park.browse(park.begin())
    with pytest.raises(NotSignedIn, match="another browser"):
        park.finish(replace(answer, cookie=state))
    with pytest.raises(NotSignedIn, match=r"finished already|another browser"):
        park.finish(replace(answer, cookie=state, state=state))


@pytest.mark.parametrize("code", ["", "guessed", "a&code_verifier=x", "é", "\ud800", "x" * 9999])
def test_a_code_that_is_none(code: str, park: Park) -> None:
    answer = park.browse(park.begin())
    with pytest.raises(NotSignedIn, match="no token for this code"):
        park.finish(replace(answer, code=code))


def test_a_failed_login_takes_its_state_with_it(park: Park) -> None:
    answer = park.browse(park.begin())
    with pytest.raises(NotSignedIn):
        park.finish(replace(answer, code="guessed"))
    with pytest.raises(NotSignedIn, match="finished already"):
        park.finish(answer)


def test_a_login_takes_no_longer_than_ten_minutes(park: Park) -> None:
    answer = park.browse(park.begin())
    park.door.now_s += 600
    with pytest.raises(NotSignedIn, match="took too long"):
        park.finish(answer)


@pytest.mark.parametrize("issuer", ["", "https://other.example"])
def test_an_answer_of_another_provider(issuer: str, park: Park) -> None:
    """RFC 9207: our provider says that it names itself, so who does not is none."""
    answer = park.browse(park.begin())
    with pytest.raises(NotSignedIn, match="the answer is not of"):
        park.finish(replace(answer, issuer=issuer))


# Whose account


def test_an_unknown_identity_gets_no_account(park: Park) -> None:
    park.provider.subject = "wu-8"
    park.provider.claims.update(email="wu@mill.example", email_verified=True)
    with pytest.raises(
        NotSignedIn, match="no account that may sign in is linked to subject 'wu-8'"
    ):
        park.login()
    with reading(park.door.engine) as conn:
        assert [one.name for one in service.list_accounts(conn)] == ["lin"]


def test_a_disabled_account_is_not_let_in(park: Park) -> None:
    park.door.disable(park.lin)
    with pytest.raises(NotSignedIn, match="no account that may sign in"):
        park.login()


def test_an_unlinked_identity_is_not_let_in(park: Park) -> None:
    token = park.login()
    with writing(park.door.engine) as conn:
        service.unlink_identity(
            conn, park.door.now_s, MACHINE, park.lin, park.provider.issuer, "lin-7"
        )
    assert not park.door.lets_in(token)
    with pytest.raises(NotSignedIn, match="no account"):
        park.login()


def test_a_domain_that_the_settings_name(park: Park) -> None:
    park.client = replace(park.client, domains=frozenset({"mill.example"}))
    park.provider.subject = "wu-8"
    park.provider.claims.update(email="Wu@Mill.example", email_verified=True)
    who = park.door.caller(park.login())
    assert (who.name, who.roles) == ("wu@mill.example", {})
    assert who.may("whoami")
    assert not who.may("series_show")
    assert park.door.caller(park.login()).account == who.account


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "wu@mill.example", "email_verified": False},
        {"email": "wu@mill.example"},
        {"email": "wu@mill.example", "email_verified": "true"},
        {"email": "wu@farm.example", "email_verified": True},
        {"email": "wu@mill.example.evil", "email_verified": True},
        {"email": "mill.example", "email_verified": True},
        {"email": "", "email_verified": True},
        {"email_verified": True},
        {"email": ["wu@mill.example"], "email_verified": True},
        {"email": '"a b"@mill.example', "email_verified": True},
    ],
)
def test_an_address_that_is_not_of_the_domain(claims: dict[str, Any], park: Park) -> None:
    park.client = replace(park.client, domains=frozenset({"mill.example"}))
    park.provider.subject = "wu-8"
    park.provider.claims.update(claims)
    with pytest.raises(LedgerError):
        park.login()
    with reading(park.door.engine) as conn:
        assert [one.name for one in service.list_accounts(conn)] == ["lin"]


def test_an_address_does_not_take_an_account_over(park: Park) -> None:
    park.door.account("wu@mill.example", ("mill", Role.ADMIN))
    park.client = replace(park.client, domains=frozenset({"mill.example"}))
    park.provider.subject = "mallory"
    park.provider.claims.update(email="wu@mill.example", email_verified=True)
    with pytest.raises(Refused, match=r"named 'wu@mill\.example' already"):
        park.login()


# Settings


def settings(**given: Any) -> Settings:
    return Settings(database_url="", **given)


def test_settings_without_a_provider() -> None:
    assert oidc.Provider.of(settings()) is None


def test_settings_with_a_provider() -> None:
    found = oidc.Provider.of(
        settings(
            oidc_issuer="https://id.example",
            oidc_client_id="park",
            oidc_client_secret=SecretStr("secret words"),
            oidc_redirect_uri=REDIRECT,
            oidc_domains="Mill.example, farm.example",
        )
    )
    assert found is not None
    assert found.domains == {"mill.example", "farm.example"}
    assert "secret words" not in repr(found)


def test_half_a_provider_is_an_error() -> None:
    with pytest.raises(Unavailable, match="set GREENLEDGER_OIDC_CLIENT_SECRET too"):
        oidc.Provider.of(
            settings(oidc_issuer="x", oidc_client_id="park", oidc_redirect_uri=REDIRECT)
        )


@pytest.mark.parametrize("issuer", ["http://id.example", "ftp://127.0.0.1", "", "file:///etc"])
def test_providers_are_asked_by_https(issuer: str, park: Park) -> None:
    park.client = replace(park.client, issuer=issuer)
    with pytest.raises(Unavailable, match="by https"):
        park.begin()
