"""HTTP: the ASGI application, the log of requests, and the server."""
