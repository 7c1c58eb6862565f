"""The questions on labels that nobody drew, landmarks of a histogram, and flips as augmentation."""

from course_lib.exercises.questions import Option, Question

INVENTED_QUESTION = Question(
    "9.a",
    "A label map holds 0 (background), 1 (front) and 2 (back). It is resampled with linear interpolation and rounded, "
    "and a rim of label 1 appears around the back part. Why?",
    (
        Option(
            "Between 0 and 2 there is 1",
            "Halfway from the background to the back part the mean is 1. But labels are names: a mean of two of them "
            "is a third one that has nothing to do with either. Resample with nearest, or each label by itself.",
            right=True,
        ),
        Option(
            "The voxels at the edge hold some of the front part",
            "The front part may be far away. The rim goes around the whole of the back part, wherever it meets the "
            "background.",
        ),
        Option(
            "Rounding was wrong: without it there would be no rim",
            "Without it there would be 0.7 or 1.4, which are no labels either. The mean itself has no meaning.",
        ),
    ),
)

LANDMARKS_QUESTION = Question(
    "9.b",
    "Histogram standardisation learns landmarks from some scans, and then maps the intensities of every scan to them. "
    "From which patients may it learn?",
    (
        Option(
            "From all of them: it looks at no label",
            "It still looks at patients who are to stand for new ones. Their scanners would help to set the scale, and "
            "those of really new patients can not.",
        ),
        Option(
            "From the training patients only",
            "The landmarks belong to what is learned, as the weights do. All others are mapped to them, as a new "
            "patient would be.",
            right=True,
        ),
        Option(
            "From the training patients for these, from the test patients for those",
            "Then the same tissue would have one value in training and another one in the test, and a single new "
            "patient could not be mapped at all.",
        ),
    ),
)

FLIP_QUESTION = Question(
    "9.c",
    "A network learns to outline the left hippocampus as label 1 and the right one as label 2. To have more images, "
    "half of the volumes are mirrored from left to right while it trains, each with its label map. What does it learn?",
    (
        Option(
            "The same, from twice as many patients",
            "That would be so if both sides had one label. Here the mirrored left one lies on the right, and is still "
            "called 1.",
        ),
        Option(
            "That the names of the sides mean nothing",
            "After the mirror, label 1 is on the right in one half of the volumes and on the left in the other. Either "
            "exchange the labels too, or do not mirror.",
            right=True,
        ),
        Option(
            "Nothing wrong, since the label map was mirrored along with the volume",
            "The outlines do fit. But what was the left hippocampus now lies on the right, and its label still says "
            "left.",
        ),
    ),
)

QUESTIONS = (INVENTED_QUESTION, LANDMARKS_QUESTION, FLIP_QUESTION)
