"""HTTP: the operations as an ASGI application, the control endpoints, the socket."""
