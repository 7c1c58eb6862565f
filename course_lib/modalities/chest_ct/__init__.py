"""CT of the chest: crops around lung nodules, each marked by several readers."""
