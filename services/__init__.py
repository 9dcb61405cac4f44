"""The pipeline's services, one package each. They never import one another; they meet in ``schemas``."""
