"""Decision in, incident out: durable before the answer leaves. The only place with queries."""
