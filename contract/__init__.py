"""
From the published documents to the corrected contract and the generated client.

The tools of this repository, not of the distribution: the ledger of corrections, the comparison
with what the vendor publishes, the regeneration of `generated/`.
"""
