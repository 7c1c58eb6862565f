"""The kinds of images: each modality brings its data card, its reader, its simulator and its recipe.

`registry` opens any of them: ``from course_lib.modalities.registry import open_dataset``. Nothing is imported here, so
that a simulator starts without torch.
"""
