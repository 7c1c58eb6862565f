"""The reusable code of the course: what a notebook would otherwise say twice.

A flat package of rooms. A room imports only from the rooms below it, and neighbours in a row do not import each
other; import-linter holds this. Read it from the bottom up:

    audit_plots | explain_plots | finetuning_plots | robustness_plots | studies | widgets
    headline | notebooks | pretraining | realism
                                     figures of single lessons | what is too long for a lesson, and its stored numbers |
                                     dialogues | for authors: the recipe on real X-rays, runs the notebooks, trains the
                                     shipped weights, measures the simulator
    evaluation_plots | exercises     figures of an evaluation | checks, hints, solutions, questions; what the learner
                                     has solved
    plots | comparison | diagnosis | robustness
                                     figures, always with a text alternative | which backbone? | a learning rate, one
                                     batch by heart | wrong labels and another scanner, made on purpose; abstaining
    audit | explain | features | training
                                     what is wrong with a folder of images | what a network looked at | what a frozen
                                     network sees, computed once | the loop and its history
    checkpoints | trainer            weights and trainings on disk | a model beside what changes it, and its batches
    calibration | decisions | model_card | own_run | parallel
                                     is 0.8 four of five? | what a threshold costs, and for whom | what goes with a
                                     network | choices for a run, published figures | several processes, one model
    evaluation | recipe              predictions and their numbers | configuration, optimizer, schedule, loss, precision
    sources                          where images come from: phantoms, Kaggle, a folder
    delivery                         a Kaggle data set: found here, or fetched, unpacked and verified, once
    pixels | models                  every image decoded once, read in batches | the course's own network, and ResNet-18
    backbones                        torchvision's networks for our classes, and what to know about each
    dataset | dicom | stages | transforms
                                     labelled files, patients, splits | the hospital's file format | what learns |
                                     image <-> tensor
    augmentation                     the small random changes that a training image goes through
    archive | weights                unpacking, verified against the card | what is trained already, with checksums
    cards | transfer                 what to know about a data set | downloads that resume
    kaggle_account                   the learner's token, and the question that Kaggle's own client asks
    phantom | runtime | claims | form    the X-ray simulator | device, seeds, profile | sentences that are checked |
                                     for authors: the form of a notebook, and the glossary
    locks                            one process at a time

Only `transfer` and `kaggle_account` know the network, and only `widgets` knows ipywidgets.

Notebooks import from a room, never from here: ``from course_lib.evaluation import predict``.
"""
