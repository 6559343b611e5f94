"""What a figure means, said once: metrics and dimensions of packs, and typed queries within the asker's scope."""
