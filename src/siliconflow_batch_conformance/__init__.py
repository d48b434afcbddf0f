"""
The contract test: does a service do what the SiliconFlow Batch API's documents say?

`requirements.yaml` holds the sentences of the documents, `test_*.py` the cases that check them;
`test_contract.py` has schemathesis derive further cases from `openapi.yaml`. Everything speaks HTTP
to a base URL and knows nothing of the simulator's inside.
"""
