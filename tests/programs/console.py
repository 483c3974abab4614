"""The Python console kind. Usage: console.py PORT NAME

Waits for exactly `NICK`, prints whatever else comes, and dies on anything but ASCII.
"""

import sys

from person import Program


class Console(Program):
    encoding = "ascii"

    def message(self, text):
        return f"{self.name}: {text}"

    def received(self, chunk):
        if chunk == "NICK":
            self.send(self.name)
        else:
            self.show(chunk)


if __name__ == "__main__":
    Console(*sys.argv[1:]).run()
