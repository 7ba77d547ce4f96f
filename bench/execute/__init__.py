"""Computing the stages of a plan on this machine: worker processes and answering engines."""
