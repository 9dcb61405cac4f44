"""What is known of a patient beside the genes, and what it changes. Pure."""
