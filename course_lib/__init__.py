"""The reusable code of the course: what a notebook would otherwise say twice.

A house of packages. Each is a purpose; each imports only from those below it, and import-linter holds that:

    authoring     for authors: what makes, checks and measures the course; nothing else imports it
    lessons       what belongs to one lesson: its exercises and questions, and what no other lesson needs
    exercises     the engine that checks answers, gives hints, asks questions; it knows no lesson
    figures       data in, Axes out, always with a text alternative; and widgets around them
    modalities    the kinds of images: each with its data card, its reader, its simulator and its recipe
    audit         what is wrong with a folder of images
    explain       where an answer came from: maps, and what changes when the picture is changed
    training      from data and a network to a plan and a trained network, and from there to predictions
    networks      the course's own networks and torchvision's: what they cost, which parts learn, what is trained
    data          from files to tensors: samples, patients, splits, transforms, augmentation, the pixel cache, volumes;
                  patches of them, and a fingerprint of what they are like
    tasks         what is to be learned: a loss, predictions, a score, and what someone reaches who does not look
    evaluation    from predictions to numbers, each with an interval and a baseline; it knows no model
    sources       data cards, Kaggle, downloads, archives: the only package that knows the network
    support       this computer's settings, claims, errors, files and locks; knows nothing of images

A notebook imports from a package, never from here: ``from course_lib.evaluation import auroc``.
"""
