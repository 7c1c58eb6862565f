"""Frontal chest radiographs of the people of `simulated_chest`, for every modality that needs films; physics first.

In reading order: `exposure` (how a film is taken), `imaging` (from attenuation to the film) and `radiograph` (all of it
together).
"""
