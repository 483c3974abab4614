"""A real Qt window of the HTML kind, off screen. Usage: qt_window.py PORT NAME

Acts are those of person.py, and `hold`, after which nothing is read from the socket until `go`: several messages then come
in one read. Standard output is the whole view after each append, its paragraphs parted by \\n.
"""

import os
import sys
import threading

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtNetwork import QTcpSocket
from PyQt5.QtWidgets import QApplication, QTextBrowser


class Window(QObject):
    typed = pyqtSignal(str)

    def __init__(self, port, name):
        super().__init__()
        self.name = name
        self.view = QTextBrowser()
        self.view.show()
        self.going = threading.Event()
        self.typed.connect(self.act)
        self.socket = QTcpSocket()
        self.socket.connected.connect(self.connected)
        self.socket.readyRead.connect(self.received)
        self.socket.disconnected.connect(QApplication.quit)
        self.socket.connectToHost("127.0.0.1", int(port))

    def send(self, text):
        self.socket.write(text.encode())

    def connected(self):
        self.send(f'<font color="Purple">{self.name} has joined the chat room.</font>')
        threading.Thread(target=self.type, daemon=True).start()

    def received(self):
        self.view.append(self.socket.readAll().data().decode())
        print(self.view.toPlainText().replace("\n", "\\n"), flush=True)

    def type(self):
        for line in sys.stdin:
            line = line.rstrip("\n")
            if line == "go":
                self.going.set()
            else:
                self.typed.emit(line)

    def act(self, line):
        act, _, text = line.partition(" ")
        if act == "say":
            self.send(f'<font color="Blue">{self.name}</font>: {text}')
        elif act == "hold":
            self.going.wait()
            self.going.clear()
        elif act == "leave":
            self.send(f'<font color="Orange">{self.name} has left the chat room.</font>')
            self.socket.disconnectFromHost()
        else:
            sys.exit(f"{act!r} is nothing a person does")


if __name__ == "__main__":
    app = QApplication(sys.argv[:1])
    window = Window(*sys.argv[1:])
    sys.exit(app.exec())
