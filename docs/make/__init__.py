"""What makes the site: a source folder put together from the repository, and what Sphinx needs to read it."""
