"""Starting doses by published equations and the guideline's flow around them. Pure; every figure is the release's."""
