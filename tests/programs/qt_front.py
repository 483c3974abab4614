"""The Qt kind with the name in front. Usage: qt_front.py PORT NAME [COLON]

Sends nothing until its person types, and waits for its own lines to come back.
"""

import sys

from person import QtProgram


class QtFront(QtProgram):
    def __init__(self, port, name, colon="："):
        super().__init__(port, name)
        self.colon = colon

    def message(self, text):
        return f"{self.name}{self.colon}{text}"

    def leaving(self):
        self.send("@断开连接@")


if __name__ == "__main__":
    QtFront(*sys.argv[1:]).run()
