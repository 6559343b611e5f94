"""The standard: entity types with typed, bounded properties in known units, and the mapping of every feed to them."""
