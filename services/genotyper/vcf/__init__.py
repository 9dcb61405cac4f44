"""VCF files of laboratories, read into lab results. The only part of the genotyper that touches files.

``read`` yields one lab result for each sample, in the shape of ``docs/lab-result.md``; what the rows mean for calls is
decided later, by the same code that reads every other lab result.
"""

from services.genotyper.vcf.blocks import BlockLimits
from services.genotyper.vcf.reader import read
from services.genotyper.vcf.samples import SampleFields, sample_map

__all__ = ["BlockLimits", "SampleFields", "read", "sample_map"]
