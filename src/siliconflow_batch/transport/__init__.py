"""HTTP: connections, retries, uploads, downloads, and the meaning of each response."""
