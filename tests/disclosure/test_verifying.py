"""`greenledger-verify pack`: what outsiders are told of a pack, and of broken ones."""

from __future__ import annotations

import hashlib
import json
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from greenledger_verify import cli
from ledger.house import House
from ledger.proving import encode, open_entry
from tests.disclosure.breaking import (
    Files,
    broken,
    files_of,
    manifest,
    put_together,
    with_manifest,
)
from tests.disclosure.park import Made, pack
from tests.ledgers import no_progress

Change = Callable[[dict[str, bytes]], object]


def verify(
    capsys: pytest.CaptureFixture[str], path: Path, made: Made, *more: str
) -> tuple[int, dict[str, Any]]:
    code = cli.main(["pack", str(path), "--vkey", made.packed.made.vkey, "--json", *more])
    return code, json.loads(capsys.readouterr().out)


def name_again(files: dict[str, bytes]) -> None:
    """A manifest that fits the files as they are now."""
    said = manifest(files)
    known = {one["file"]: one for one in said["files"]}
    said["files"] = [
        {
            "file": name,
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "by": known.get(name, {"by": "author"})["by"],
        }
        for name, data in sorted(files.items())
        if name not in ("manifest.json", "opening.json")
    ]
    with_manifest(files, said)


# Good ones


def test_a_published_pack(capsys: pytest.CaptureFixture[str], made: Made) -> None:
    code, said = verify(capsys, made.path, made)
    assert code == 0, said["why"]
    established = "\n".join(said["established"])
    assert "about mill, 2026" in established
    assert "is report.publish by mill (恩赐制造 Mill)" in established
    assert "claims 96,000 Wh of green power" in established
    left_open = "\n".join(said["not_established"])
    for words in ("recomputed the 22 files", "single use NOT established", "the author's word"):
        assert words in left_open
    (name,) = said["lines"]
    assert name.startswith("evidence/")
    assert said["lines"][name]["share_opened"]["opened_wh"] == 96_000


def test_with_the_public_log(
    capsys: pytest.CaptureFixture[str], park: House, made: Made, tmp_path: Path
) -> None:
    park.export_tiles(tmp_path / "tiles", no_progress)
    code, said = verify(capsys, made.path, made, "--log", str(tmp_path / "tiles"))
    assert code == 0, said["why"]
    (line,) = said["lines"].values()
    assert line["status"]["state"] == "in-force"
    assert line["single_use"]["established"]


def test_a_draft_says_that_it_is_one(
    capsys: pytest.CaptureFixture[str], park: House, made: Made, tmp_path: Path
) -> None:
    draft = pack(park, tmp_path / "draft.zip", publish=False, level="total")
    code, said = verify(capsys, draft.path, made)
    assert code == 0, said["why"]
    assert any("the pack is a draft" in one for one in said["not_established"])
    assert not any("no evidence of any" in one for one in said["not_established"])


def test_claims_without_evidence_are_not_established(
    capsys: pytest.CaptureFixture[str], park: House, made: Made, tmp_path: Path
) -> None:
    def leave_evidence_out(files: dict[str, bytes]) -> None:
        for name in [one for one in files if one.startswith("evidence/")]:
            del files[name]
        name_again(files)

    draft = pack(park, tmp_path / "draft.zip", publish=False, level="total")
    bare = broken(draft.path, leave_evidence_out)
    code, said = verify(capsys, bare, made)
    assert code == 0, said["why"]
    for words in ("the pack holds no evidence of any", "nothing in the pack shows it"):
        assert any(words in one for one in said["not_established"])


def test_it_answers_in_chinese(capsys: pytest.CaptureFixture[str], made: Made) -> None:
    code = cli.main(["pack", str(made.path), "--vkey", made.packed.made.vkey, "--lang", "zh"])
    out = capsys.readouterr().out
    assert code == 0
    for words in ("压缩包中恰好是清单所列的文件", "该记录发布的正是这些文件", "未证实", "作者之言"):
        assert words in out


def test_another_key_is_not_enough(capsys: pytest.CaptureFixture[str], made: Made) -> None:
    other = "other.example/log+00000000+AQ=="
    assert cli.main(["pack", str(made.path), "--vkey", other]) == 2
    capsys.readouterr()


# Broken ones


def change_a_figure(files: dict[str, bytes]) -> None:
    files["inventory.json"] = files["inventory.json"].replace(b"3777667", b"3777666")


def change_it_and_the_manifest(files: dict[str, bytes]) -> None:
    change_a_figure(files)
    name_again(files)


def change_the_report(files: dict[str, bytes]) -> None:
    files["report.pdf"] += b"\n"
    name_again(files)


def leave_out(files: dict[str, bytes]) -> None:
    del files["credits.json"]


def leave_out_of_both(files: dict[str, bytes]) -> None:
    del files["credits.json"]
    name_again(files)


def add(files: dict[str, bytes]) -> None:
    files["more.json"] = b"{}"


def say_that_the_log_made_it(files: dict[str, bytes]) -> None:
    said = manifest(files)
    for one in said["files"]:
        one["by"] = "log"
    with_manifest(files, said)


def ask_for_another_year(files: dict[str, bytes]) -> None:
    said = manifest(files)
    said["about"]["year"] = "2025"
    with_manifest(files, said)


def know_another_size(files: dict[str, bytes]) -> None:
    with_manifest(files, {**manifest(files), "as_of": 3})


def take_the_manifest_out(files: dict[str, bytes]) -> None:
    del files["manifest.json"]


def break_the_evidence(files: dict[str, bytes]) -> None:
    """In a draft, whose manifest anybody can write."""
    del files["opening.json"]
    (name,) = (one for one in files if one.startswith("evidence/"))
    files[name] = files[name].replace(b'"level":"full"', b'"level":"total"')
    name_again(files)


def cut_the_evidence(files: dict[str, bytes]) -> None:
    del files["opening.json"]
    (name,) = (one for one in files if one.startswith("evidence/"))
    files[name] = files[name][:-10]
    name_again(files)


def be_of_another_organisation(files: dict[str, bytes]) -> None:
    """A draft of the farm's, with what the mill claims."""
    del files["opening.json"]
    said = manifest(files)
    said["about"]["organisation"] = "farm"
    with_manifest(files, said)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (change_a_figure, "file inventory.json: its hash is"),
        (change_it_and_the_manifest, "the file inventory.json is not the one of the entry"),
        (change_the_report, "the file report.pdf is not the one of the entry"),
        (leave_out, "the file credits.json is missing"),
        (leave_out_of_both, "the file credits.json is not the one of the entry"),
        (add, "the manifest does not name the file more.json"),
        (say_that_the_log_made_it, "is not the one of the entry"),
        (ask_for_another_year, "something else was asked"),
        (know_another_size, "as_of is"),
        (take_the_manifest_out, "the file manifest.json is missing"),
        (break_the_evidence, "of the level full"),
        (be_of_another_organisation, "it shows a claim of mill in the log"),
        (cut_the_evidence, "the file ends here, without its last line"),
    ],
)
def test_what_was_changed_does_not_hold(
    capsys: pytest.CaptureFixture[str], copy: Path, made: Made, change: Change, why: str
) -> None:
    code, said = verify(capsys, broken(copy, change), made)
    assert code == 1, said
    assert why in said["why"]
    assert said["established"] == []


def test_an_opening_of_another_entry(
    capsys: pytest.CaptureFixture[str], copy: Path, park: House, made: Made
) -> None:
    opening = encode(open_entry(park.desk, 2))

    def change(files: dict[str, bytes]) -> None:
        files["opening.json"] = opening

    code, said = verify(capsys, broken(copy, change), made)
    assert (code, "no disclosure" in said["why"]) == (1, True), said["why"]


def test_an_opening_that_shows_nothing(
    capsys: pytest.CaptureFixture[str], copy: Path, park: House, made: Made
) -> None:
    assert made.packed.receipt is not None
    opening = encode(open_entry(park.desk, made.packed.receipt.index))

    def change(files: dict[str, bytes]) -> None:
        files["opening.json"] = opening

    code, said = verify(capsys, broken(copy, change), made)
    assert (code, "is not opened" in said["why"]) == (1, True), said["why"]


# What an archive may be


@pytest.mark.parametrize(
    "name",
    [
        "../outside.json",
        "csv/../../outside.json",
        "/etc/passwd",
        "csv\\outside.json",
        "c:/outside.json",
        "csv//double.json",
        "csv/",
        ".hidden",
        "csv/.hidden",
        "UPPER.json",
        "报告.json",
        "a" * 201,
        "line\nbreak",
    ],
)
def test_names_that_lead_elsewhere(
    capsys: pytest.CaptureFixture[str], copy: Path, made: Made, name: str
) -> None:
    files: Files = [*files_of(copy).items(), (name, b"{}")]
    code, said = verify(capsys, put_together(copy, files), made)
    assert (code, "does not have the form" in said["why"]) == (1, True), said["why"]


def test_a_name_that_ends_early(capsys: pytest.CaptureFixture[str], copy: Path, made: Made) -> None:
    """To zipfile `more.json\\0.exe` is `more.json`; to others it may be something else."""
    put_together(copy, [*files_of(copy).items(), ("more.jsonX.exe", b"{}")])
    copy.write_bytes(copy.read_bytes().replace(b"more.jsonX.exe", b"more.json\0.exe"))
    code, said = verify(capsys, copy, made)
    assert (code, "does not have the form" in said["why"]) == (1, True), said["why"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_twice(capsys: pytest.CaptureFixture[str], copy: Path, made: Made) -> None:
    files = files_of(copy)
    put_together(copy, [*files.items(), ("claims.json", b"{}")])
    code, said = verify(capsys, copy, made)
    assert (code, "it stands twice in the archive" in said["why"]) == (1, True)


def with_one_more(path: Path, **members: int) -> Path:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo("more.json")
        for name, value in members.items():
            setattr(info, name, value)
        archive.writestr(info, b"{}")
    return path


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"external_attr": (stat.S_IFLNK | 0o777) << 16}, "it is no plain file"),
        ({"external_attr": (stat.S_IFDIR | 0o777) << 16}, "it is no plain file"),
        ({"compress_type": zipfile.ZIP_BZIP2}, "it is neither stored nor deflated"),
        ({"compress_type": zipfile.ZIP_LZMA}, "it is neither stored nor deflated"),
    ],
)
def test_files_that_are_no_plain_ones(
    capsys: pytest.CaptureFixture[str], copy: Path, made: Made, members: dict[str, int], why: str
) -> None:
    code, said = verify(capsys, with_one_more(copy, **members), made)
    assert (code, why in said["why"]) == (1, True), said["why"]


def patched(path: Path, name: str, offset: int, form: str, value: int) -> Path:
    """The archive with one number of a file's record in its directory changed."""
    raw = bytearray(path.read_bytes())
    at = raw.rindex(b"PK\1\2", 0, raw.rindex(name.encode()))
    struct.pack_into(form, raw, at + offset, value)
    path.write_bytes(raw)
    return path


def test_an_encrypted_file(capsys: pytest.CaptureFixture[str], copy: Path, made: Made) -> None:
    code, said = verify(capsys, patched(copy, "claims.json", 8, "<H", 1), made)
    assert (code, "it is encrypted" in said["why"]) == (1, True), said["why"]


def test_a_file_that_claims_to_be_huge(
    capsys: pytest.CaptureFixture[str], copy: Path, made: Made
) -> None:
    patched(copy, "claims.json", 24, "<I", 2**32 - 2)
    patched(copy, "credits.json", 24, "<I", 2**32 - 2)
    code, said = verify(capsys, copy, made)
    assert (code, "unpacked it has" in said["why"]) == (1, True), said["why"]


def test_a_bomb_is_read_no_further_than_its_manifest(
    capsys: pytest.CaptureFixture[str], copy: Path, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """64 MiB of zeros in 64 KiB, of which the manifest says that they are 10 bytes."""

    def change(files: dict[str, bytes]) -> None:
        files["claims.json"] = bytes(64 * 1024 * 1024)

    read = 0
    unpack = zipfile.ZipExtFile.read

    def counted(self: zipfile.ZipExtFile, n: int | None = -1) -> bytes:
        nonlocal read
        data = unpack(self, n)
        read += len(data)
        return data

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counted)
    path = broken(copy, change)
    read = 0
    code, said = verify(capsys, path, made)
    assert (code, "bytes that the manifest says" in said["why"]) == (1, True), said["why"]
    assert read < 4 * 1024 * 1024


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: b"no archive",
        lambda raw: b"",
        lambda raw: raw[:-22],
        lambda raw: raw + b"more",
        lambda raw: raw[:-2] + b"\4\0" + b"note",
        lambda raw: raw[:-22] + b"PK\6\7" + bytes(16) + raw[-22:],
        lambda raw: raw[:-12] + b"\xff\xff" + raw[-10:],
    ],
)
def test_what_is_no_plain_archive_is_unusable(
    capsys: pytest.CaptureFixture[str], copy: Path, made: Made, spoil: Callable[[bytes], bytes]
) -> None:
    copy.write_bytes(spoil(copy.read_bytes()))
    code, said = verify(capsys, copy, made)
    assert (code, said["usable"]) == (2, False), said


def test_no_file_and_no_manifest_of_this_form(
    capsys: pytest.CaptureFixture[str], copy: Path, made: Made, tmp_path: Path
) -> None:
    assert verify(capsys, tmp_path / "none.zip", made)[0] == 2

    def change(files: dict[str, bytes]) -> None:
        files["manifest.json"] = b" " + files["manifest.json"]

    assert verify(capsys, broken(copy, change), made)[0] == 2


def test_no_byte_of_a_file_can_be_changed_unseen(
    capsys: pytest.CaptureFixture[str], copy: Path, made: Made
) -> None:
    """One byte of each file of the archive, one after the other."""
    files = files_of(copy)
    for name, data in files.items():
        at = len(data) // 2
        spoiled = {**files, name: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]}
        put_together(copy, list(spoiled.items()))
        assert verify(capsys, copy, made)[0] != 0, name
