"""What this service asks of others over HTTP: never more than was meant, never inside its own network."""
