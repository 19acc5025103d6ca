"""Who is answered, and who is not."""

import http.client
import json
import re
import socket
import threading

import pytest

from jaxnets.errors import UserError
from jaxnets.lab import serving

STATE = {"state": "running", "name": '<b>"run"</b>'}


@pytest.fixture(scope="module")
def server():
    with serving.Server(0, lambda: STATE) as made:
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield made
        made.shutdown()


def ask(server, path="/", method="GET", host=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.putrequest(method, path, skip_host=True)
    if host != "":
        connection.putheader("Host", f"127.0.0.1:{server.port}" if host is None else host)
    connection.endheaders()
    answer = connection.getresponse()
    return answer, answer.read().decode()


def test_the_page_and_its_state_are_served(server):
    answer, page = ask(server)
    assert answer.status == 200
    assert page.startswith("<!doctype html>")
    nonce = re.search(r"script-src 'nonce-([\w-]+)'", answer.headers["Content-Security-Policy"])[1]
    assert f'<script nonce="{nonce}">' in page
    assert nonce not in ask(server)[1]
    assert "://" not in page  # nothing is fetched from elsewhere
    answer, state = ask(server, "/state.json")
    assert json.loads(state) == STATE
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["Access-Control-Allow-Origin"] is None
    answer, body = ask(server, method="HEAD")
    assert (answer.status, body) == (200, "")
    assert ask(server, host=f"localhost:{server.port}")[0].status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "localhost:1", "", "127.0.0.1:{port}.x"]
)
@pytest.mark.parametrize("path", ["/", "/state.json"])
def test_a_name_that_is_not_this_machines_is_refused(server, host, path):
    answer, body = ask(server, path, host=host.format(port=server.port))
    assert answer.status == 403
    assert "running" not in body


@pytest.mark.parametrize(
    "path", ["/runs.parquet", "/../config.json", "//etc/passwd", "/state.json?x=1", "/%2e%2e/", "*"]
)
def test_there_is_nothing_else(server, path):
    assert ask(server, path)[0].status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_nothing_can_be_changed(server, method):
    assert ask(server, method=method)[0].status == 501


def test_it_listens_on_this_machine_alone(server):
    assert server.socket.getsockname()[0] == "127.0.0.1"
    with pytest.raises(OSError, match=r"refused|unreachable|timed out|assign"):
        socket.create_connection(("127.0.0.2", server.port), timeout=2)


def test_a_port_that_cannot_be_had_is_one_line(server):
    for port in (server.port, 70_000, -1):
        with pytest.raises(UserError, match=rf"port: {port} cannot be used"):
            serving.Server(port, dict)


def test_a_file_that_cannot_be_read_is_told(server, monkeypatch):
    def fail():
        raise UserError("run/runs.parquet: cannot be read.")

    monkeypatch.setattr(server, "state", fail)
    assert json.loads(ask(server, "/state.json")[1]) == {"error": "run/runs.parquet: cannot be read."}
