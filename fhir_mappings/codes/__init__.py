"""Which codes and texts stand for which concept, the package's and a site's."""
