"""Input files: written from prompts, and checked before anything is sent."""
