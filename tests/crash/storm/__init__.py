"""A storm of kills over the real service, and what must be true when it is over."""
