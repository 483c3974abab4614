"""The Tkinter kind, without its window. Usage: tk_window.py PORT NAME [WORD [ENCODING]]

Waits for the word agreed with its server, answers it with the name that its person gave at the start, and waits for its own
lines to come back.
"""

import sys

from person import Program


class TkWindow(Program):
    def __init__(self, port, name, word="NICK", encoding="utf-8"):
        super().__init__(port, name)
        self.word = word
        self.encoding = encoding

    def message(self, text):
        return f"{self.name}: {text}\n"

    def received(self, chunk):
        if chunk == self.word:
            self.send(self.name)
        else:
            self.show(chunk)


if __name__ == "__main__":
    TkWindow(*sys.argv[1:]).run()
