"""Questions in Chinese and English become typed queries; what was not understood is named."""
