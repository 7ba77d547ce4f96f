"""From computed stages to what people read: records, results, disclosures."""
