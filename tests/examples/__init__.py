"""Tests of the example laboratory results."""
