"""Input files: written from prompts, checked before anything is sent."""
