"""CT of the chest: simulated scans of the people of `simulated_chest`, and real crops of lung nodules."""
