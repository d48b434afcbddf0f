"""
The command line: validate, submit, status, list, wait, results, cancel, files.

Needs the extra `cli`. Read in this order: `exits` (how a command ends), `words` (what it may
print), `session` (one call of the program), `display` (tables and bars), then `inputs`, `batches`
and `results` (the commands), and `app` (all of them as one program).

Rule: importing this package, `exits` or `words` loads neither typer nor rich.
"""
