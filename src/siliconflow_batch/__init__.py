"""The SiliconFlow Batch API for Python."""
