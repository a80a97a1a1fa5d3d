"""The server: HTTP, storage and trust. The mapping and the cards know nothing of them."""
