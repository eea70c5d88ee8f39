"""Pictures against libjpeg-turbo, sharp, libvips and full decoding: `python -m benchmarks.pictures`."""
