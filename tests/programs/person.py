"""Somebody at a test program: standard input is what they do, standard output is what they see.

A line of standard input is one act. In what is typed and shown, a line break is written as \\n.

    say TEXT            one message, one write
    rush TEXT<tab>TEXT  several messages in one write, as a buffered socket sends them
    leave               closes the window
    reset               the machine is gone: RST, and no good-bye

Standard output is the program's view, one append a line. A program that cannot go on ends with a traceback.
"""

import os
import socket
import struct
import sys
import threading


class Program:
    """A chat program: a blocking socket, one thread that receives, one that sends."""

    encoding = "utf-8"
    errors = "strict"
    most = 1024

    def __init__(self, port, name):
        self.name = name
        self.socket = socket.create_connection(("127.0.0.1", int(port)))

    # What the kinds do differently.

    def connected(self):
        """What it does before its person types."""

    def message(self, text):
        """A message as it is sent."""
        return text

    def received(self, chunk):
        """What it does with what one `recv` gave."""
        self.show(chunk)

    def leaving(self):
        """What it does before it closes."""

    # What all do.

    def send(self, text):
        self.socket.sendall(text.encode(self.encoding))

    def show(self, text):
        print(text.replace("\r", "\\r").replace("\n", "\\n"), flush=True)

    def said(self, text):
        """A message has been sent."""

    def act(self, line):
        act, _, text = line.rstrip("\n").partition(" ")
        if act in ("say", "rush"):
            texts = [text.replace("\\n", "\n") for text in text.split("\t")]
            self.send("".join(map(self.message, texts)))
            for text in texts:
                self.said(text)
        elif act == "leave":
            self.leaving()
            os._exit(0)
        elif act == "reset":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os._exit(0)
        else:
            sys.exit(f"{act!r} is nothing a person does")

    def type(self):
        for line in sys.stdin:
            self.act(line)

    def run(self):
        self.connected()
        threading.Thread(target=self.type, daemon=True).start()
        while chunk := self.socket.recv(self.most):
            self.received(chunk.decode(self.encoding, self.errors))


class QtProgram(Program):
    """Qt reads all that there is, and shows a sign for what it cannot decode."""

    errors = "replace"
    most = 65536
