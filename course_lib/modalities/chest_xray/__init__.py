"""Chest X-rays: a simulator, what reads them, and the recipe for real ones; `modalities.registry` opens them."""
