"""Notices: people who sit at no screen hear of warnings and due cases by e-mail and text message."""
