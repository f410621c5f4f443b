"""The simulated venue: exchange, broker, models, market generator, replay."""
