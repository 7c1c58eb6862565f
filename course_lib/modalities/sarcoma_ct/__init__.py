"""Sarcomas in CT: real volumes of few patients, outlined within a box. There is no simulated set of them."""
