"""The program `crs-cds`: the server's commands, and those that try an installation with the example patients."""

from cds_server.command_line import program
from example_patients.programs.commands import seed, selftest


def main() -> None:
    program.commands.add_command(seed)
    program.commands.add_command(selftest)
    program.main()


if __name__ == "__main__":
    main()
