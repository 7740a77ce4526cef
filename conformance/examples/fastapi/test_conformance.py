import os
import socket
import subprocess
import sys

import pytest


@pytest.fixture
def url():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = "%s:%d" % free.getsockname()
    environment = {**os.environ, "LISTEN": address, "CONTROL": "1"}
    server = subprocess.Popen([sys.executable, "server.py"], env=environment)
    yield f"http://{address}"
    server.terminate()
    server.wait()


def test_conformance(url):
    command = ["otp-conformance", "check", "zeckta", "--target", url, "--wait", "30s", "--seed", "1"]
    run = subprocess.run([*command, "--report", "junit=conformance.xml"], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
