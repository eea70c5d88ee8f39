"""Demo photos, made by `assets/make_photos.py`."""
