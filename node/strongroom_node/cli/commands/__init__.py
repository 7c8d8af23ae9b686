"""One module for each group of commands; a module is imported when one of its commands runs."""
