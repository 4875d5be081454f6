"""Durable jobs; see `backend` for enqueueing and `runner` for claiming and running."""
