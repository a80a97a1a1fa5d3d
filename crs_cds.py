"""The program crs-cds: the server's commands joined with seed and selftest, which live where the server may not look.

Entry points would hide the list of commands in installed metadata, and a group that loads modules by name would be an
import that the test of the structure cannot see.
"""

from cds_server.command_line import program
from example_patients.programs.commands import seed, selftest


def main() -> None:
    program.commands.add_command(seed)
    program.commands.add_command(selftest)
    program.main()


if __name__ == "__main__":
    main()
