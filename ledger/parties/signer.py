"""An external signer: keys that a KMS, an HSM or another machine holds, reached by a command.

GREENLEDGER_SIGNER names the command (words as in a shell, but no shell runs them). It is started
once, and speaks JSON lines: `{"vkey": …, "text": base64 of the bytes to sign}` on its standard
input, `{"signature": base64}` (or `{"error": why}`) on its standard output, one answer for each
request, in order. What it answers is verified before it is used. Who does not answer in time is
stopped, and started anew with the next request.
"""

from __future__ import annotations

import atexit
import base64
import binascii
import json
import os
import selectors
import shlex
import subprocess
import threading
import time
from dataclasses import dataclass
from functools import cache
from typing import Final

from ledger.errors import Unavailable
from ledger.log import mldsa
from ledger.log.mldsa import ML_DSA_44, TIME_BYTES
from ledger.log.notes import VerifyKey, signature_line

ANSWER_BYTES_MAX: Final = 16_384
_STOP_S: Final = 2.0
_READ_BYTES: Final = 8_192
# What is ours to know: the command gets none of it.
_OURS: Final = "GREENLEDGER_"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalKey:
    """A key that the external signer holds."""

    verify_key: VerifyKey
    signer: ExternalSigner

    @property
    def name(self) -> str:
        return self.verify_key.name

    def signature_line(self, text: bytes) -> bytes:
        """Raises Unavailable where the signer does not sign, or not with this key."""
        key = self.verify_key
        if key.kind == ML_DSA_44:
            signed = self.signer.sign(key, mldsa.message(key.name, 0, text))
            blob = bytes(TIME_BYTES) + signed
        else:
            blob = self.signer.sign(key, text)
        if not key.verify(text, blob):
            self.signer.close()  # else a late answer might be taken for the next one
            raise Unavailable(
                f"the signer's signature by key {key.key_id.hex()} of {key.name} does not verify;"
                " it is not used"
            )
        return signature_line(key, blob)


class ExternalSigner:
    """The running command; one request at a time, over all threads."""

    def __init__(self, command: str, timeout_s: float) -> None:
        self._argv = shlex.split(command)
        if not self._argv:
            raise ValueError("it is empty")
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._pid = 0
        self._left: list[subprocess.Popen[bytes]] = []

    def sign(self, key: VerifyKey, text: bytes) -> bytes:
        """The signature's bytes, as they came. Raises Unavailable."""
        request = {"vkey": key.vkey, "text": base64.b64encode(text).decode()}
        with self._lock:
            try:
                answer = self._ask(json.dumps(request).encode() + b"\n")
                return _signature(answer)
            except (OSError, ValueError) as error:
                self._stop()
                raise Unavailable(
                    f"the signer ({self._argv[0]}) did not sign with key {key.key_id.hex()} of"
                    f" {key.name}: {error}. Nothing was stored; try again"
                ) from error

    def _ask(self, request: bytes) -> bytes:
        """One answer, without its newline. Raises OSError or ValueError."""
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        until = time.monotonic() + self._timeout_s
        answer = b""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdin, selectors.EVENT_WRITE)
            selector.register(process.stdout, selectors.EVENT_READ)
            while not answer.endswith(b"\n"):
                left_s = until - time.monotonic()
                events = selector.select(left_s) if left_s > 0 else []
                if not events:
                    raise TimeoutError(f"no answer within {self._timeout_s:g} s")
                for event, _ in events:
                    if event.fileobj is process.stdin:
                        request = request[os.write(process.stdin.fileno(), request) :]
                        if not request:
                            selector.unregister(process.stdin)
                    else:
                        answer += _more(process.stdout.fileno())
                if len(answer) > ANSWER_BYTES_MAX:
                    raise ValueError(f"its answer has more than {ANSWER_BYTES_MAX} bytes")
        if request or answer.count(b"\n") != 1:
            raise ValueError("it answered before it was asked, or more than once")
        return answer[:-1]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._pid != os.getpid():
            # Of the process that we were forked from: its pipes are not ours to use.
            self._left.append(self._process)
            self._process = None
        if self._process is not None and self._process.poll() is not None:
            self._stop()
        if self._process is None:
            ours = {name: value for name, value in os.environ.items() if not _is_secret(name)}
            self._process = subprocess.Popen(  # noqa: S603  (the operator's own command, no shell)
                self._argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=ours,
                bufsize=0,
                start_new_session=True,
            )
            self._pid = os.getpid()
            for pipe in (self._process.stdin, self._process.stdout):
                assert pipe is not None
                os.set_blocking(pipe.fileno(), False)
        return self._process

    def close(self) -> None:
        with self._lock:
            self._stop()

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None or self._pid != os.getpid():
            return
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()
        try:
            process.wait(_STOP_S if process.poll() is None else 0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_secret(name: str) -> bool:
    return name.startswith(_OURS)


def _more(descriptor: int) -> bytes:
    found = os.read(descriptor, _READ_BYTES)
    if not found:
        raise OSError("it ended")
    return found


def _signature(answer: bytes) -> bytes:
    """Raises ValueError."""
    try:
        found = json.loads(answer)
    except (ValueError, RecursionError):
        raise ValueError("its answer is no JSON") from None
    if isinstance(found, dict) and "error" in found:
        raise ValueError(f"it says: {str(found['error'])[:200]}")
    try:
        return base64.b64decode(found["signature"], validate=True)
    except (KeyError, TypeError, binascii.Error):
        raise ValueError("its answer has no signature in base64") from None


@cache
def signer_of(command: str, timeout_s: float) -> ExternalSigner:
    """The one of this process, which ends with it. Raises Unavailable for a command of no word."""
    try:
        signer = ExternalSigner(command, timeout_s)
    except ValueError as error:
        raise Unavailable(f"GREENLEDGER_SIGNER is no command: {error}") from error
    atexit.register(signer.close)
    return signer
