"""Configuration: environment variables `GREENLEDGER_…`, read when called."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """`dir` holds the embedded default: database, secrets, high-water record.

    `high_water_dir` belongs on another disk than the database in production: it is what notices
    that an old copy of the database has been put back. `kek` (64 hex digits) encrypts the keys that
    the server holds for parties; without it a file in `secrets/` is used.

    `redis_url`: where workers hear of jobs; without it jobs run in the process that serves, on
    `job_threads` threads. A worker that says nothing for `job_lease_s` has lost its job. What is
    done by the clock is done every `…_every_s`; 0 = never.

    `oidc_…` name an OpenID provider where people may sign in: its issuer, this service as its
    client, where it sends people back to, and e-mail domains (with spaces between them) whose
    people get an account without roles by themselves.
    """

    model_config = SettingsConfigDict(env_prefix="GREENLEDGER_", extra="ignore")

    dir: Path = Path("greenledger-data")
    database_url: str = ""
    high_water_dir: Path | None = None
    kek: SecretStr | None = None
    # The API, for each process: the largest request, and how many come from one caller.
    body_bytes_max: int = 64 * 1024 * 1024
    requests_per_s: float = 200
    requests_burst: int = 400
    redis_url: SecretStr = SecretStr("")
    job_threads: int = Field(default=1, ge=1, le=64)
    job_lease_s: int = Field(default=60, ge=1)
    job_progress_s: float = Field(default=1.0, gt=0)
    job_attempts_max: int = Field(default=5, ge=1)
    job_keep_s: int = Field(default=30 * 86_400, ge=0)
    job_sweep_every_s: float = Field(default=5.0, gt=0)
    checkpoint_every_s: int = Field(default=60, ge=0)
    expiry_every_s: int = Field(default=86_400, ge=0)
    audit_every_s: int = Field(default=7 * 86_400, ge=0)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
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
    def high_water(self) -> Path:
        return self.high_water_dir or self.dir / "high-water"
