"""Strategies that come with qbtrade; a user's own live in their own files."""
