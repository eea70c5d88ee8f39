"""Running jobs: the executor and its children, and the services that keep the ledger moving."""
