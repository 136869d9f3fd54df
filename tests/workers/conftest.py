"""What tests of workers share."""

from tests.servers.redis import redis_server

__all__ = ["redis_server"]
