"""Orders to devices and other systems: authorised, confirmed, followed until their effect is seen, undoable."""
