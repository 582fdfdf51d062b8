"""The certificates, and some of the analytic lemmas, as files for the Rocq (Coq) prover."""
