"""The commands, one module each; `signac_cli.app` says which there are."""
