"""Example laboratory results and worked patients, and what makes them."""
