"""Who is who: entities, their aliases and groups, and who is locked out."""
