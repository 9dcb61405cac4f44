"""What the image is made from."""
