"""Configuration: environment variables `GREENLEDGER_…`, read when called."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """`dir` holds the embedded default: database, secrets, high-water record.

    `high_water_dir` belongs on another disk than the database in production: it is what notices
    that an old copy of the database has been put back. `kek` (64 hex digits) encrypts the keys that
    the server holds for parties; without it a file in `secrets/` is used.

    `oidc_…` name an OpenID provider where people may sign in: its issuer, this service as its
    client, where it sends people back to, and e-mail domains (with spaces between them) whose
    people get an account without roles by themselves.
    """

    model_config = SettingsConfigDict(env_prefix="GREENLEDGER_", extra="ignore")

    dir: Path = Path("greenledger-data")
    database_url: str = ""
    high_water_dir: Path | None = None
    kek: SecretStr | None = None
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
