"""Dated market rules, schemas and demo data."""
