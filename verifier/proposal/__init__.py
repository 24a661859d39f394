"""How a line of any checklist could be answered: from its words to a check, or to a person."""
