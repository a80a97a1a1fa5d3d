"""The CDS Hooks service over HTTP: the only package that knows Flask, requests and SQLAlchemy."""
