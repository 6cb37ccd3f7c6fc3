"""Alembic's scripts: one file a version, never edited once released."""
