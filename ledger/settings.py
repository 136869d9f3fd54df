"""Configuration: environment variables `GREENLEDGER_…`, read when called."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """One field for each variable; docs name them as they are set: `GREENLEDGER_DIR`, …"""

    model_config = SettingsConfigDict(
        env_prefix="GREENLEDGER_", extra="ignore", hide_input_in_errors=True
    )

    # The embedded default: database, secrets, high-water record.
    dir: Path = Path("greenledger-data")
    # On another disk than the database in production: it is what notices that an old copy of the
    # database has been put back.
    high_water_dir: Path | None = None
    # 64 hex digits that encrypt the keys which the server holds for parties; without them a file in
    # `secrets/` does.
    kek: SecretStr | None = None
    # A command that signs with keys which an HSM, a KMS or another machine holds (docs/keys.md),
    # and how long it may take for one signature.
    signer: str = ""
    signer_timeout_s: float = Field(default=10.0, gt=0)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    # `postgresql://USER:PASSWORD@HOST:PORT/NAME`; empty is the embedded default. `…_s` end, under
    # PostgreSQL, what waits for a lock, or runs, or lies idle inside a transaction for longer
    # (0: never); audits, exports, restores and migrations are not ended. See docs/postgresql.md.
    database_url: str = Field(default="", repr=False)
    database_lock_s: int = Field(default=30, ge=0)
    database_statement_s: int = Field(default=60, ge=0)
    database_idle_in_transaction_s: int = Field(default=600, ge=0)
    database_connections_max: int = Field(default=25, ge=2)

    # The API, for each process: the largest request, and how many come from one caller.
    body_bytes_max: int = Field(default=64 * 1024 * 1024, ge=1024)
    requests_per_s: float = Field(default=200, gt=0)
    requests_burst: int = Field(default=400, ge=1)

    # Where partners reach `/3/footprints` and `/auth/token` (docs/pact.md), such as
    # https://pact.park.example; links in events and documents lead there.
    pact_url: str = ""

    # Where workers hear of jobs; without it jobs run in the process that serves, on `job_threads`
    # threads. A worker that says nothing for `job_lease_s` has lost its job.
    redis_url: SecretStr = SecretStr("")
    job_threads: int = Field(default=1, ge=1, le=64)
    job_lease_s: int = Field(default=60, ge=1)
    job_progress_s: float = Field(default=1.0, gt=0)
    job_attempts_max: int = Field(default=5, ge=1)
    job_keep_s: int = Field(default=30 * 86_400, ge=0)
    job_sweep_every_s: float = Field(default=5.0, gt=0)
    # What is done by the clock; 0 = never.
    checkpoint_every_s: int = Field(default=60, ge=0)
    expiry_every_s: int = Field(default=86_400, ge=0)
    audit_every_s: int = Field(default=7 * 86_400, ge=0)
    # Where backups go (on another disk, and with no key-encryption key beside them), and how often.
    backup_dir: Path | None = None
    backup_every_s: int = Field(default=86_400, ge=0)
    anchor_every_s: int = Field(default=3_600, ge=0)

    # Who vouches for checkpoints (docs/anchors.md); without it `anchors.toml` in the data
    # directory, if there is one. And a folder where the public log is kept as static files.
    anchors: Path | None = None
    publish_dir: Path | None = None

    # The font of PDF files, where none of the usual ones is installed: TTF, OTF or TTC.
    pdf_font: Path | None = None

    # An OpenID provider where people may sign in: its issuer, this service as its client, where it
    # sends people back to, and e-mail domains (with spaces between them) whose people get an
    # account without roles by themselves.
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr | None = None
    oidc_redirect_uri: str = ""
    oidc_domains: str = ""

    @property
    def url(self) -> str:
        return self.database_url or f"sqlite:///{self.database_file}"

    @property
    def database_file(self) -> Path:
        """The embedded database, where no other one is named."""
        return self.dir / "ledger.sqlite3"

    @property
    def secrets_dir(self) -> Path:
        return self.dir / "secrets"

    @property
    def anchors_file(self) -> Path | None:
        """None where nobody is asked."""
        default = self.dir / "anchors.toml"
        return self.anchors or (default if default.exists() else None)

    @property
    def high_water(self) -> Path:
        return self.high_water_dir or self.dir / "high-water"
