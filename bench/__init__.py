"""Measurements. Each prints its own conditions; timings never decide a test."""
