"""The bare Qt kind: no name at all. Usage: qt_bare.py PORT [hello]

Shows its own text itself. With `hello`, as the core example: greets at once, and nobody types until it is answered.
"""

import sys

from person import QtProgram


class QtBare(QtProgram):
    def __init__(self, port, hello=None):
        super().__init__(port, None)
        self.hello = hello

    def connected(self):
        if self.hello:
            self.send("Hello, server!")
            self.show(self.socket.recv(self.most).decode(self.encoding, self.errors))

    def said(self, text):
        self.show(text)


if __name__ == "__main__":
    QtBare(*sys.argv[1:]).run()
