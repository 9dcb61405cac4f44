"""What recommendations cost: time for a patient, memory of a release."""
