"""Pages of SOPs: the list, the editor, what runs, what ran, versions, one participant."""
