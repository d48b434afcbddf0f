"""
The conformance suite: does a service do what the documents of the SiliconFlow Batch API say?

`requirements.yaml` lists the sentences of the documents, `cases/` sends requests, and `checks/`
judges the exchanges. The suite speaks HTTP to a base URL and knows nothing of the simulator.
"""
