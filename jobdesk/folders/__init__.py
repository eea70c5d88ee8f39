"""Drop folders: files come in, whole and exactly once, and leave with their story."""
