"""Units of certificates and credits: schemes, projects, holdings, and what becomes of them."""
