"""The platform: one command from an empty machine to a working development environment."""
