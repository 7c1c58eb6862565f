"""A patient in front of the detector: the healthy body, what the findings put into it, and how both weaken the beam."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from course_lib.modalities.simulated_chest import distractors
from course_lib.modalities.simulated_chest.anatomy import Body, build_body
from course_lib.modalities.simulated_chest.disease import PleuralAir, air_around, fill_lungs, fluid_around
from course_lib.modalities.simulated_chest.geometry import Grid, Plane
from course_lib.modalities.simulated_chest.nodules import Shadow, add_shadows, shadow
from course_lib.modalities.simulated_chest.people import Patient
from course_lib.modalities.simulated_chest.silhouette import heart_shape
from course_lib.modalities.simulated_film.exposure import Exposure
from course_lib.modalities.simulated_film.imaging import Attenuation

VESSELS_END = 0.12  #: half-widths of lung along a ray, below which its vessels get fewer: they end where the lung does


@dataclass(frozen=True)
class Contents:
    """What findings put into the lungs and around them, each one by itself."""

    filled: tuple[Plane, Plane]  #: pneumonia: part of the right and of the left lung that is full of fluid, 0 to 1
    effusions: tuple[Plane, ...]  #: cm of fluid in place of lung
    airs: tuple[PleuralAir, ...]
    nodules: tuple[Shadow, ...]


@dataclass(frozen=True)
class Scene:
    """A patient in one exposure, up to what is in the lungs."""

    patient: Patient  #: the heart as large as its shadow
    turn: float  #: degrees
    breath: float  #: height of the lungs as a part of a full breath
    grid: Grid
    body: Body
    mu: Attenuation


def build_scene(patient: Patient, exposure: Exposure, grid: Grid) -> Scene:
    """The healthy body of a patient in an exposure."""
    breath = exposure.inspiration
    if patient.pattern == "interstitial":  # swollen small airways let air in, but not out
        breath *= 1 + 0.07 * patient.severity
    if exposure.heart_enlarged != 1:
        patient = replace(patient, heart=patient.heart * exposure.heart_enlarged)
    body = build_body(patient, grid, breath, exposure.turn)
    scene = Scene(patient, exposure.turn, breath, grid, body, Attenuation.at(exposure.energy))
    return with_other_heart(scene, patient.heart) if patient.resting_heart else scene


def with_other_heart(scene: Scene, heart: float) -> Scene:
    """The same with a heart of another half-width, as `Patient.heart`."""
    patient = replace(scene.patient, heart=heart)
    body, turned_by = scene.body, float(np.sin(np.deg2rad(scene.turn)))
    shape = heart_shape(patient, scene.breath, scene.grid, turned_by)
    right, left = (np.maximum(0, cavity - shape) for cavity in body.cavities)
    return replace(scene, patient=patient, body=replace(body, heart=shape, lungs=(right, left)))


def contents_of(scene: Scene, nodules: tuple[Shadow, ...] | None = None) -> Contents:
    """What the patient's findings put into the lungs and around them; ``nodules`` if they are known already."""
    patient, breath, grid, body = scene.patient, scene.breath, scene.grid, scene.body
    return Contents(
        fill_lungs(patient, breath, grid, body),
        tuple(fluid_around(patient, one, breath, grid, body, scene.turn) for one in patient.effusions),
        tuple(air_around(patient, one, breath, grid, body, scene.turn) for one in patient.pneumothoraces),
        tuple(shadow(patient, one, breath, grid) for one in patient.nodules) if nodules is None else nodules,
    )


def is_body(scene: Scene) -> NDArray[np.bool_]:
    """Where the rays cross so much of the body that the grey scale is fitted to it."""
    return np.asarray(scene.body.trunk > 0.3 * scene.patient.half_depth)


@dataclass(frozen=True)
class Layers:
    """The attenuation along each ray, step by step, as in `radiograph.render_layers`."""

    tissue: Plane
    lungs: Plane
    heart: Plane
    bone: Plane
    disease: Plane
    fluid: Plane  #: cm that pneumonia puts in place of air

    @property
    def attenuation(self) -> Plane:
        """All of it."""
        return np.asarray(np.maximum(0, self.bone + self.disease))


def attenuate(scene: Scene, contents: Contents) -> Layers:
    """How strongly a body with these contents weakens the beam."""
    body, mu = scene.body, scene.mu
    airy = mu.soft_tissue - mu.lung
    tissue = mu.soft_tissue * body.trunk
    lungs = tissue - airy * np.minimum(body.cavities[0] + body.cavities[1], 0.9 * body.trunk)
    heart = tissue - airy * body.lung + airy * body.vessels * _around(scene, body.lung) - mu.soft_tissue * body.air
    bone = heart + (mu.bone - mu.soft_tissue) * body.bone
    if scene.patient.distractors:
        bone = bone + _distract(scene)
    disease, fluid = _disease(scene, contents)
    return Layers(tissue, lungs, heart, bone, disease, fluid)


def _around(scene: Scene, lung: Plane) -> Plane:
    """The part of the vessels that there are along rays through so much lung, 0 to 1."""
    return np.asarray(np.minimum(1, lung / (VESSELS_END * scene.patient.half_width)))


def _distract(scene: Scene) -> Plane:
    """What distractors add."""
    mu, body = scene.mu, scene.body
    shadows = distractors.shadows(scene.patient, scene.breath, scene.turn, scene.grid)
    in_lung = (mu.soft_tissue - mu.lung) * np.minimum(shadows.in_lung, body.lung)
    return np.asarray(in_lung + mu.soft_tissue * shadows.tissue + mu.bone * shadows.bone)


def _disease(scene: Scene, contents: Contents) -> tuple[Plane, Plane]:
    """What the contents add to the attenuation, and the cm of fluid that pneumonia puts in place of air."""
    body, mu = scene.body, scene.mu
    airy = mu.soft_tissue - mu.lung
    around = _around(scene, body.lung)
    filled = contents.filled
    swamped = filled[0] * body.lungs[0] + filled[1] * body.lungs[1]
    around_lung, lung = np.zeros_like(body.lung), body.lung
    if contents.effusions or contents.airs:
        around_lung, lung = _around_lung(scene, contents)
        swamped = swamped * lung / np.maximum(body.lung, 1e-3)
    part = swamped / np.maximum(body.lung, 1e-3)
    bronchogram = np.minimum(0.9 * body.bronchi * around, 0.4 * body.lung) * part  # air that stays in the bronchi
    fluid = np.maximum(0, swamped - bronchogram - body.vessels * around * part)  # where a vessel is, no air was
    disease = airy * fluid
    if contents.effusions or contents.airs:
        disease = disease + around_lung
    if contents.nodules:
        tissue_of, calcium = add_shadows(contents.nodules, scene.grid)
        disease = disease + airy * np.minimum(tissue_of, np.maximum(0, lung - body.vessels * around - fluid))
        disease = disease + (mu.bone - mu.soft_tissue) * np.minimum(calcium, lung)
    return disease, fluid


def _around_lung(scene: Scene, contents: Contents) -> tuple[Plane, Plane]:
    """What fluid and air around the lungs add to the attenuation, and how much lung they leave, cm.

    Fluid weakens the beam as soft tissue does, air not at all. Both leave no vessels where no lung is; air squeezes
    what is left of the lung, which then weakens the beam more.
    """
    body, mu = scene.body, scene.mu
    water = np.minimum(sum(contents.effusions, np.zeros_like(body.lung)), body.lung)
    air = np.minimum(sum((one.air for one in contents.airs), np.zeros_like(body.lung)), body.lung - water)
    left = body.lung - water - air
    lost_vessels = body.vessels * (_around(scene, body.lung) - _around(scene, left))
    added = (mu.soft_tissue - mu.lung) * (water - lost_vessels) - mu.lung * air
    for one in contents.airs:
        share = left / np.maximum(body.lung - air, 1e-3)
        added = added + mu.lung * (one.squeezed - 1) * one.lung * share
        added = added + (mu.soft_tissue - mu.lung) * one.pleura * share
    return np.asarray(added), np.asarray(left)
