def figures_of(settings, not_done):
    return not_done


def markdown(settings, figures):
    return str(figures)
