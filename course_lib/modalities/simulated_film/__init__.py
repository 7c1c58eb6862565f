"""Frontal chest radiographs of the people of `simulated_chest`, for every modality that needs films; physics first.

In reading order: `exposure` (how a film is taken), `imaging` (from attenuation to the film), `scene` (a patient in
front of the detector, and how the body and its findings weaken the beam), `radiograph` (all of it together) and
`marked_film` (the same, with a mark for each finding).
"""
