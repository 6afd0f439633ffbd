"""`lumilio restore`: a catalogue as it was at a backup, beside originals that may have moved on."""
