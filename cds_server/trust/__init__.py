"""Who may call, and where the service is registered."""
