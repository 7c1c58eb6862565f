"""The hippocampus in MRI: small volumes around one hippocampus each, with its anterior and posterior part outlined."""
