"""One duty each, met only through events."""
