"""The service without HTTP: operations, accounts, time, and what is kept on disk."""
