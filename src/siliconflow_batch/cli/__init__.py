"""
The command line: validate, submit, status, list, wait, results, cancel, files.

It needs the extra `cli`. Read the modules in this order: `exits` (exit statuses), `messages`
(printed text), `session` (one invocation), `display` (tables and progress bars), then the commands
in `input_commands`, `batch_commands` and `result_commands`, and `program`, which combines them.

Rule: importing this package, `exits` or `messages` does not import typer or rich.
"""
