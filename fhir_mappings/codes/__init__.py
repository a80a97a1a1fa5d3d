"""The codes and texts that stand for each concept: the package's and a site's own."""
