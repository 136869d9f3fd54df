"""anchors.toml: what is wrong in it is named with its place."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from ledger.anchors.config import NOBODY, load
from ledger.errors import InvalidInput
from tests.anchors.conftest import ED25519, ML_DSA
from tests.servers.tsa import Authorities

WITNESS = f'[[witness]]\nvkey = "{ED25519.vkey}"\nurl = "https://witness.example/w/"\n'
AUTHORITY = '[[authority]]\nname = "tsa"\nurl = "http://tsa.example/"\ncertificates = "root.pem"\n'
LOG_KEY = f"w+00000000+{base64.b64encode(bytes([1]) + bytes(32)).decode()}"
BROKEN = {
    "witness = 1": r"witness: each begins with a line \[\[witness\]\]",
    "x = ": "not TOML",
    "wittness = []": "the file: wittness is unknown; known are authority, quorum, witness",
    WITNESS + "audit = true": "witness 1: audit is unknown",
    WITNESS + 'audits = "yes"': "witness 1: audits is true or false",
    WITNESS + WITNESS: "is there twice",
    WITNESS.replace("https", "ftp"): "witness 1: url is http",
    WITNESS.replace("witness.example/w/", ""): "witness 1: url is http",
    '[[witness]]\nurl = "http://w"': "witness 1: vkey is missing",
    f'[[witness]]\nurl = "http://w"\nvkey = "{LOG_KEY}"': "witness 1: .* not an Ed25519 key of",
    f"quorum = 2\n{WITNESS}": r"quorum is 0 to the number of witnesses \(1\), not 2",
    f"quorum = true\n{WITNESS}": "not True",
    AUTHORITY: "authority 1: certificates: there is no file .*root.pem",
    AUTHORITY.replace('"tsa"', '"../tsa"'): "authority 1: a name is",
    AUTHORITY.replace("root.pem", "bad.pem"): "authority 1: certificates: not certificates",
    AUTHORITY.replace("root.pem", "link.pem"): "is a link",
}


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_wrong_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n")
    (tmp_path / "link.pem").symlink_to(tmp_path / "bad.pem")
    path = tmp_path / "anchors.toml"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=BROKEN[text]) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_what_is_right(tmp_path: Path, authorities: Authorities) -> None:
    (tmp_path / "root.pem").write_text("some words\n" + authorities.good.roots)
    text = f'audits = true\n[[witness]]\nvkey = "{ML_DSA.vkey}"\nurl = "http://127.0.0.1:8080"\n'
    inline = f'certificates = """{authorities.good.roots}"""'
    second = AUTHORITY.replace('"tsa"', '"tsa-2"').replace('certificates = "root.pem"', inline)
    path = tmp_path / "anchors.toml"
    path.write_text("quorum = 1\n" + WITNESS + text + AUTHORITY + second)
    found = load(path)
    assert [(one.key.vkey, one.url, one.audits) for one in found.witnesses] == [
        (ED25519.vkey, "https://witness.example/w", True),
        (ML_DSA.vkey, "http://127.0.0.1:8080", False),
    ]
    assert [one.name for one in found.authorities] == ["tsa", "tsa-2"]
    # A file or its text, with words around it or not: the same roots are the same text.
    assert found.authorities[0].roots == found.authorities[1].roots
    assert found.quorum == 1


def test_nobody(tmp_path: Path) -> None:
    assert load(None) == NOBODY
    with pytest.raises(InvalidInput, match="no such file"):
        load(tmp_path / "gone.toml")
