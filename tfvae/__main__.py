"""`python -m tfvae`: the same as `tfvae`."""

from tfvae.cli.main import main

if __name__ == "__main__":
    main()
