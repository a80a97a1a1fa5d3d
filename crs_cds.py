"""The program `crs-cds`: the server's commands, and those that try an installation with the example patients."""

from cds_server import command_line
from example_patients.programs.commands import seed, selftest


def main() -> None:
    command_line.commands.add_command(seed)
    command_line.commands.add_command(selftest)
    command_line.main()


if __name__ == "__main__":
    main()
