"""Telegram: what its Bot API brings becomes events of ours, and what we write becomes calls to it."""
