"""What is to be learned from images: its loss, its predictions, its score, and what someone reaches who does not
look."""
