"""The Qt kind that talks in HTML. Usage: qt_html.py PORT NAME

Says who it is as soon as it is connected, appends each chunk as rich text, and waits for its own lines to come back.
"""

import sys

from person import QtProgram


class QtHtml(QtProgram):
    def connected(self):
        self.send(f'<font color="Purple">{self.name} has joined the chat room.</font>')

    def message(self, text):
        return f'<font color="Blue">{self.name}</font>: {text}'

    def leaving(self):
        self.send(f'<font color="Orange">{self.name} has left the chat room.</font>')


if __name__ == "__main__":
    QtHtml(*sys.argv[1:]).run()
