"""Every record and enum: frozen, slotted, on the standard library alone."""
