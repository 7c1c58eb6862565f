"""Brain tumours in MRI: slices in three planes after contrast agent, each with its class and the tumour's outline."""
