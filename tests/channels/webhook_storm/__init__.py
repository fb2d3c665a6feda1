"""Thousands of webhook deliveries on the real service, good and bad, once and twice, in order and not; and what must
have come of them."""
