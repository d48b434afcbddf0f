"""
Tools of this repository that keep the contract, the vendor's pages and the generated client.

They are not part of the distribution. Each module imports only modules above it:

    document             pointers, operations and schemas of any OpenAPI document
    vendor_pages         what the vendor publishes, as recorded in published/
    ledger               corrections.yaml: each mistake and its correction
    corrections          writes docs/corrections.md
    downloaded_document  reads a document that may contain anything
    page_facts           the facts of the downloaded pages, which published/ must have
    comparison           a published page and a downloaded document of the same operation
    drift                reports what the vendor has changed
    generation           writes generated/ from openapi.yaml
"""
