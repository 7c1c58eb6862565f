"""Findings in boxes on chest X-rays: what is there, and where."""
