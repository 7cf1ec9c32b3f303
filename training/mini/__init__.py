"""Training of the bundled LAR-Gen model `mini`. Run the stages as `python -m mini.STAGE` inside `training/`."""
