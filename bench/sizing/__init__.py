"""What a number of samples a day needs: measured figures, and the page that works with them."""
