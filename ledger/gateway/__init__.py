"""The gateway: from meters (MQTT, DL/T 645) to signed batches whose inclusion is verified."""
