"""Market data of one's own: downloaded, imported, recorded, listed, checked."""
