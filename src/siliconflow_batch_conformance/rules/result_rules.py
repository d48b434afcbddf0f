"""
Rules about the result files of batches that earlier exchanges showed.

Rule: a file is judged the first time that it is read; later it only has to be the same file.
"""

from ..checks import history, result_lines
from ..checks.exchange import Exchange, the_batch
from ..inventory import Inventory, SeenBatch
from .rule import Arguments, Rule


def _first_read(exchange: Exchange, inventory: Inventory) -> tuple[SeenBatch, str] | None:
    """The batch of a result file that is read for the first time, and what its lines count as."""
    batch = inventory.batch_of_results(exchange)
    if batch is None or exchange.path in inventory.downloads or exchange.status != 200:
        return None
    return batch, batch.paths[exchange.path]


def _read_again(exchange: Exchange, inventory: Inventory) -> list[Arguments]:
    earlier = inventory.downloads.get(exchange.path)
    if earlier is None or inventory.batch_of_results(exchange) is None:
        return []
    return [(earlier, exchange)]


def _result_file(exchange: Exchange, inventory: Inventory) -> list[Arguments]:
    return [(exchange,)] if _first_read(exchange, inventory) else []


def _output_file(exchange: Exchange, inventory: Inventory) -> list[Arguments]:
    match _first_read(exchange, inventory):
        case (_, "completed"):
            return [(exchange,)]
    return []


def _error_file(exchange: Exchange, inventory: Inventory) -> list[Arguments]:
    match _first_read(exchange, inventory):
        case (_, "failed"):
            return [(exchange,)]
    return []


def _output_file_and_model(exchange: Exchange, inventory: Inventory) -> list[Arguments]:
    """The output file of a batch that was created with `replace.model`, and that model."""
    match _first_read(exchange, inventory):
        case (SeenBatch(created=Exchange() as created), "completed"):
            replace = created.request_json.get("replace")
            model = replace.get("model") if isinstance(replace, dict) else None
            return [(exchange, model)] if model else []
    return []


def _batch_and_file(exchange: Exchange, inventory: Inventory) -> list[Arguments]:
    read = _first_read(exchange, inventory)
    return [(read[0].latest, exchange)] if read else []


def _batch_count_and_file(exchange: Exchange, inventory: Inventory) -> list[Arguments]:
    read = _first_read(exchange, inventory)
    return [(read[0].latest, read[1], exchange)] if read else []


def _input_and_all_results(exchange: Exchange, inventory: Inventory) -> list[Arguments]:
    """The upload and the result files of its batch, once all of them have been read."""
    read = _first_read(exchange, inventory)
    if read is None or read[0].latest is None:
        return []
    upload = inventory.uploads.get(str(the_batch(read[0].latest).get("input_file_id")))
    downloads = {**inventory.downloads, exchange.path: exchange}
    paths = read[0].paths
    by_count = {paths[path]: one for path, one in downloads.items() if path in paths}
    results = [downloads.get(path, by_count.get(n)) for path, n in read[0].result_files()]
    return [] if upload is None or None in results else [(upload, results)]


RULES = (
    Rule("RESULT-8", _read_again, history.is_the_same_file),
    Rule("RESULT-10", _result_file, result_lines.record_ids_are_unique),
    Rule("RESULT-7", _result_file, result_lines.is_json_lines),
    Rule("RESULT-2", _output_file, result_lines.holds_successes),
    Rule("RESULT-2", _error_file, result_lines.holds_failures),
    Rule("RESULT-11", _batch_and_file, result_lines.marks_expired_lines),
    Rule("COUNT-4", _batch_count_and_file, result_lines.counts_match),
    Rule("RESULT-4", _output_file, result_lines.holds_completions),
    Rule("RESULT-3", _output_file_and_model, result_lines.uses_model),
    Rule("RESULT-1", _input_and_all_results, result_lines.covers_every_line),
)
