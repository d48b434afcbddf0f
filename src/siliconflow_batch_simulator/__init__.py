"""The SiliconFlow Batch API on your machine."""
