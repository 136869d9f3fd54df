# greenledger: API, worker, beat and gateway are one image; the command says which it is.
# Everything that runs comes out of the hashed lock; no secret is in it.

FROM python:3.12.8-slim-bookworm AS wheels
WORKDIR /build
COPY requirements.lock ./
RUN pip wheel --no-cache-dir --require-hashes --no-deps --wheel-dir /wheels -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY api api
COPY ledger ledger
COPY migrations migrations
COPY workers workers
# The builder too comes from the lock, and the lock's tools for tests stay behind.
RUN pip install --no-cache-dir --no-index --find-links /wheels setuptools \
 && pip wheel --no-cache-dir --no-index --no-build-isolation --no-deps --wheel-dir /wheels . \
 && python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --no-index --find-links /wheels greenledger

FROM python:3.12.8-slim-bookworm
# For PDF reports: Chinese characters, 5 MB.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends fonts-wqy-microhei \
 && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 greenledger \
 && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin greenledger \
 && install -d -o greenledger -g greenledger -m 0700 \
      /var/lib/greenledger /var/lib/greenledger-high-water /var/lib/greenledger-gateway
COPY --from=wheels /venv /venv
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    GREENLEDGER_DIR=/var/lib/greenledger \
    GREENLEDGER_HIGH_WATER_DIR=/var/lib/greenledger-high-water
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/api/v1/health', timeout=4)"]
ENTRYPOINT ["greenledger"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
