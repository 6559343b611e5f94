"""What the city's own closed cases teach: which matter a text means, and how likely a case is to run late."""
