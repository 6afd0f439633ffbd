"""An inference server for models in a folder of this machine."""
