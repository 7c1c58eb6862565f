"""The reusable code of the course: what a notebook would otherwise say twice.

A flat package of rooms. A room imports only from the rooms below it, and neighbours in a row do not import each
other; import-linter holds this. Read it from the bottom up:

    notebooks                        runs, cleans and checks the course's notebooks; for authors
    plots                            figures: data in, Axes out, always with a text alternative
    training                         the loop, its history, checkpoints
    evaluation                       predictions, and the numbers that summarise them
    sources                          where images come from: phantoms, a folder
    dataset | models | transforms    labelled files, patients, splits | networks | image <-> tensor
    phantom | runtime | claims       the X-ray simulator | device, seeds, profile | sentences that are checked

Notebooks import from a room, never from here: ``from course_lib.evaluation import predict``.
"""
