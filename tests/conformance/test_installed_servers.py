"""
The suite against two more servers that imitate OpenAI's batches: Llama Stack and AIBrix.

Neither claims to be this API. Each shows its most fundamental defects by name, one by one, although
nearly all of its responses have another shape. `make test-downloads` installs and runs them.
"""

import re
from pathlib import Path

import pytest
import yaml

from support.conformance_command import conformance
from support.installed_servers import chat_server, free_port, running, virtual_environment

MODELS = ("deepseek-ai/DeepSeek-V3", "deepseek-ai/DeepSeek-R1")
# It has no keys, no envelope, other statuses, windows of 24h only, any endpoint and any file.
LLAMA_STACK = {
    *("WIRE-3", "BATCH-1", "AUTH-1", "AUTH-2", "UPLOAD-1", "CREATE-14", "CREATE-16"),
    *("FILES-4", "LIST-7", "CREATE-7", "RESULT-7", "INPUT-1", "INPUT-4", "INPUT-7", "INPUT-9"),
}
# It has no keys, no envelope, other statuses, any window, endpoint, file and line.
AIBRIX = {
    *("WIRE-3", "AUTH-1", "AUTH-2", "CREATE-15", "LIST-12", "UPLOAD-1", "CREATE-14", "CREATE-16"),
    *("CREATE-1", "FILES-4", "CREATE-8", "INPUT-1", "INPUT-3", "INPUT-4", "INPUT-5", "INPUT-7"),
}

pytestmark = pytest.mark.downloads


def failures(base_url: str, folder: Path, *options: str) -> tuple[int, list[str], str]:
    """The exit status, the failed requirements in the order of the output, and the output."""
    done = conformance(
        *("--unmetered", "--base-url", base_url, "--core", "--patience", "10", *options),
        SILICONFLOW_API_KEY="sk-installed-server",
        SILICONFLOW_STATE=str(folder),
    )
    failed = re.findall(r"^  ([A-Z]+-\d+) +(?:must|should)", done.stdout, re.MULTILINE)
    return done.returncode, failed, done.stdout + done.stderr


def stack_configuration(folder: Path, chat: str) -> str:
    """A Llama Stack with batches, files, and models of another server."""
    stores = {
        "metadata": {"namespace": "registry", "backend": "records"},
        "inference": {"table_name": "inference", "backend": "tables"},
        "conversations": {"table_name": "conversations", "backend": "tables"},
    }
    files = {
        "storage_dir": str(folder / "files"),
        "metadata_store": {"table_name": "files", "backend": "tables"},
    }
    batches = {"kvstore": {"namespace": "batches", "backend": "records"}}
    providers = {
        "inference": ("remote::vllm", {"url": chat, "max_tokens": 64, "api_token": "none"}),
        "files": ("inline::localfs", files),
        "batches": ("inline::reference", batches),
    }
    return yaml.safe_dump(
        {
            "version": 2,
            "image_name": "batches",
            "apis": [*providers],
            "providers": {
                api: [{"provider_id": api, "provider_type": kind, "config": config}]
                for api, (kind, config) in providers.items()
            },
            "storage": {
                "backends": {
                    "records": {"type": "kv_sqlite", "db_path": str(folder / "records.db")},
                    "tables": {"type": "sql_sqlite", "db_path": str(folder / "tables.db")},
                },
                "stores": stores,
            },
            "registered_resources": {
                "models": [
                    {"model_id": name, "provider_id": "inference", "model_type": "llm"}
                    for name in MODELS
                ]
            },
        }
    )


def test_llama_stack(tmp_path: Path) -> None:
    """Its models have a prefix, so --model and --other-model name them."""
    programs = virtual_environment(tmp_path / "venv", "llama-stack==0.3.0", (3, 12))
    port, configuration = free_port(), tmp_path / "run.yaml"
    with chat_server(*MODELS) as chat:
        configuration.write_text(stack_configuration(tmp_path, chat))
        command = [str(programs / "llama"), "stack", "run", str(configuration), "--port", str(port)]
        with running(command, f"http://127.0.0.1:{port}/v1/health", tmp_path / "log"):
            model, other = (f"inference/{name}" for name in MODELS)
            status, failed, output = failures(
                *(f"http://127.0.0.1:{port}/v1", tmp_path / "state"),
                *("--model", model, "--other-model", other),
            )

    assert status == 1, output
    assert {*failed} >= LLAMA_STACK, output
    assert {*failed[:10]} <= LLAMA_STACK, output
    assert "Traceback" not in output


def test_aibrix(tmp_path: Path) -> None:
    """Its dry run answers with the request, and takes every line."""
    programs = virtual_environment(tmp_path / "venv", "aibrix==0.8.0", (3, 11))
    port = free_port()
    command = [str(programs / "aibrix_metadata"), "--host", "127.0.0.1", "--port", str(port)]
    ready = f"http://127.0.0.1:{port}/v1/batches"
    with running([*command, "--dry-run"], ready, tmp_path / "log"):
        status, failed, output = failures(f"http://127.0.0.1:{port}/v1", tmp_path / "state")

    assert status == 1, output
    assert {*failed} >= AIBRIX, output
    assert len({*failed[:12]} & AIBRIX) >= 10, output
    assert "Traceback" not in output
