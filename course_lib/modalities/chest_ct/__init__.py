"""Chest CT: a scanner in numbers, from X-ray projections to Hounsfield units."""
