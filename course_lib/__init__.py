"""The reusable code of the course: what a notebook would otherwise say twice.

A flat package of rooms. A room imports only from the rooms below it, and neighbours in a row do not import each
other; import-linter holds this. Read it from the bottom up:

    notebooks | realism | widgets    for authors: runs the notebooks, measures the simulator | dialogues
    audit_plots                      figures of an audit
    plots                            figures: data in, Axes out, always with a text alternative
    audit | training                 what is wrong with a folder of images | the loop, its history, checkpoints
    evaluation                       predictions, and the numbers that summarise them
    sources                          where images come from: phantoms, Kaggle, a folder
    delivery                         a Kaggle data set: found here, or fetched, unpacked and verified, once
    dataset | models | transforms    labelled files, patients, splits | networks | image <-> tensor
    archive | weights                unpacking, verified against the card | what others have trained, with checksums
    cards | transfer                 what to know about a data set | downloads that resume
    kaggle_account                   the learner's token, and the question that Kaggle's own client asks
    phantom | runtime | claims       the X-ray simulator | device, seeds, profile | sentences that are checked

Only `transfer` and `kaggle_account` know the network, and only `widgets` knows ipywidgets.

Notebooks import from a room, never from here: ``from course_lib.evaluation import predict``.
"""
