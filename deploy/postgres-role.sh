#!/bin/sh
# Run once by the image, on a new database: the role that the service runs as. It owns nothing;
# `greenledger grant` lets it add rows and change none.
set -eu
psql --set ON_ERROR_STOP=1 --set password="$SERVICE_PASSWORD" \
    --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE greenledger_service LOGIN PASSWORD :'password';
SQL
